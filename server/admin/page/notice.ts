import { byId, element, setText } from './element.ts';

const shownMs = 15_000;

/** What became of the last thing that was done; what went wrong stays until the next. */
export class Notice {
  readonly #place = byId('notice', HTMLElement);
  readonly #text = element('span');
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    const close = element('button', { type: 'button', 'aria-label': 'Close this message' }, '✕');
    close.addEventListener('click', () => (this.#place.hidden = true));
    this.#place.append(this.#text, close);
  }

  say(text: string, isFault = false): void {
    clearTimeout(this.#timer);
    setText(this.#text, text);
    this.#place.classList.toggle('fault', isFault);
    this.#place.hidden = false;
    if (!isFault) this.#timer = setTimeout(() => (this.#place.hidden = true), shownMs);
  }
}
