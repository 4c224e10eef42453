/** Text with the user names and passwords of its addresses left out. */
export function withoutCredentials(text: string): string {
  return text.replace(/\b(wss?:\/\/)[^\s/?#]*@/gi, '$1***@');
}
