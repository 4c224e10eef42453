import { answerJson, type Handler } from './http.ts';

/** POST /api/drain: the reply goes out first, for the end of the drain is the end of this listener too. */
export function drainOn(begin: () => void): Handler {
  return (_, response) => {
    response.once('close', begin);
    answerJson(response, 202, { draining: true });
  };
}
