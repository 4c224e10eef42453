import { element, setText } from './element.ts';
import type { Standing } from './pool-texts.ts';

const signs: Readonly<Record<Standing['mood'], string>> = { good: '●', warn: '▲', bad: '✕', quiet: '○' };

/** A state in words, with a sign and a colour that say how bad it is; each can be read without the other. */
export class Badge {
  readonly #sign = element('span', { 'aria-hidden': 'true' });
  readonly #text = element('span');
  readonly element = element('span', { class: 'badge' }, this.#sign, this.#text);

  show({ text, mood }: Standing): void {
    setText(this.#sign, signs[mood]);
    setText(this.#text, text);
    this.element.dataset['mood'] = mood;
  }
}
