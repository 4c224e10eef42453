/** No code: the close frame is empty and neither side ever writes 1005 on the wire (RFC 6455 section 7.1.5). */
export const NO_CLOSE_CODE = 1005;

/** Whether a close frame may carry this code: 1000–1003, 1007–1014, 3000–4999 (RFC 6455 section 7.4, IANA registry). */
export function isWireCloseCode(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}
