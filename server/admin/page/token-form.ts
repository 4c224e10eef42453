import { byId, setText } from './element.ts';
import type { GatewayApi } from './gateway-api.ts';

/** Asks for `admin.token` where the gateway wants one. */
export class TokenForm {
  readonly #api: GatewayApi;
  readonly #section = byId('token', HTMLElement);
  readonly #input = byId('token-input', HTMLInputElement);
  readonly #fault = byId('token-fault', HTMLElement);

  constructor(api: GatewayApi, onToken: () => void) {
    this.#api = api;
    byId('token-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      const token = this.#input.value.trim();
      // The config allows nothing else, and no header could carry it.
      const isPossible = /^[\x21-\x7e]{8,1024}$/.test(token);
      this.#say(isPossible ? '' : 'A token is 8 or more visible ASCII characters.');
      if (!isPossible) return;
      this.#api.useToken(token);
      onToken();
    });
  }

  get isShown(): boolean {
    return !this.#section.hidden;
  }

  /** A token that was sent was the wrong one, and is forgotten. */
  show(): void {
    if (this.#api.hasToken) this.#say('The gateway does not accept this token.');
    this.#api.forgetToken();
    this.#section.hidden = false;
    this.#input.select();
    this.#input.focus();
  }

  hide(): void {
    this.#section.hidden = true;
    this.#input.value = '';
    this.#say('');
  }

  #say(fault: string): void {
    setText(this.#fault, fault);
    this.#input.toggleAttribute('aria-invalid', fault !== '');
  }
}
