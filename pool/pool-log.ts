/** What is worth a line in the log; data first, then a fixed message. */
export interface PoolLog {
  debug(data: object, message: string): void;
  info(data: object, message: string): void;
  warn(data: object, message: string): void;
}
