import { byId, element, setText } from './element.ts';

const shownMs = 15_000;

/** What became of the last thing that was done; what went wrong stays until the next. */
export class Notice {
  readonly #place = byId('notice', HTMLElement);
  readonly #text = element('span');
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly #close = element('button', { type: 'button', 'aria-label': 'Close this message' }, '✕');

  constructor() {
    this.#close.addEventListener('click', () => this.#show(''));
    this.#place.append(this.#text, this.#close);
    this.#show('');
  }

  say(text: string, isFault = false): void {
    clearTimeout(this.#timer);
    this.#place.classList.toggle('fault', isFault);
    this.#show(text);
    if (!isFault) this.#timer = setTimeout(() => this.#show(''), shownMs);
  }

  #show(text: string): void {
    setText(this.#text, text);
    this.#place.toggleAttribute('data-empty', text === '');
    this.#close.hidden = text === '';
  }
}
