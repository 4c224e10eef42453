import { byId, element, setText } from './element.ts';

/** What is asked before something is done. */
export interface Question {
  readonly title: string;
  /** What will happen. */
  readonly points: readonly string[];
  /** What the button says that does it. */
  readonly verb: string;
  /** A word to type first, for what cannot be undone. */
  readonly word?: string;
}

/** Asks before anything is done. Escape, and the button that has the focus at first, do nothing. */
export class ConfirmDialog {
  readonly #dialog = byId('confirm', HTMLDialogElement);
  readonly #title = byId('confirm-title', HTMLElement);
  readonly #points = byId('confirm-points', HTMLElement);
  readonly #typing = byId('confirm-typing', HTMLElement);
  readonly #prompt = byId('confirm-prompt', HTMLElement);
  readonly #input = byId('confirm-word', HTMLInputElement);
  readonly #yes = byId('confirm-yes', HTMLButtonElement);
  #word = '';

  constructor() {
    this.#input.addEventListener('input', () => this.#check());
    byId('confirm-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      if (!this.#yes.disabled) this.#dialog.close('yes');
    });
    byId('confirm-no', HTMLButtonElement).addEventListener('click', () => this.#dialog.close(''));
  }

  /** Whether the answer is yes; no while another question is open. */
  ask({ title, points, verb, word = '' }: Question): Promise<boolean> {
    if (this.#dialog.open) return Promise.resolve(false);
    setText(this.#title, title);
    this.#points.replaceChildren(...points.map((point) => element('li', {}, point)));
    setText(this.#yes, verb);
    this.#yes.classList.toggle('danger', word !== '');
    this.#typing.hidden = word === '';
    setText(this.#prompt, `Type ${word} to go on`);
    this.#input.value = '';
    this.#word = word;
    this.#check();
    this.#dialog.returnValue = '';
    this.#dialog.showModal();
    if (word !== '') this.#input.focus();
    return new Promise((resolve) => {
      this.#dialog.addEventListener('close', () => resolve(this.#dialog.returnValue === 'yes'), {
        once: true,
      });
    });
  }

  #check(): void {
    this.#yes.disabled = this.#input.value.trim().toLowerCase() !== this.#word;
  }
}
