/** How every command that loads or measures something ends. */
export const exitCodes = {
  /** And everything that was expected came true. */
  done: 0,
  /** It ran, and something went wrong. */
  failed: 1,
  cannotBegin: 2,
  interrupted: 130,
} as const;
