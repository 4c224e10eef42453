import { byId, element, setText } from './element.ts';
import { clockText, durationText } from './format.ts';
import type { Contact } from './live-feed.ts';

/** What the header and the banner say about the gateway: that it is there, drains, or was last seen some time ago. */
export class ContactView {
  readonly #sign = byId('contact-sign', HTMLElement);
  readonly #text = byId('contact', HTMLElement);
  readonly #banner = byId('banner', HTMLElement);
  readonly #drain = byId('drain', HTMLButtonElement);
  readonly #message = element('span');
  /** Not read out: it changes every second. */
  readonly #ago = element('span', { 'aria-hidden': 'true' });
  readonly #outlook = element('span');
  #seenAt: number | undefined;
  #lost = false;
  #draining = false;

  constructor() {
    this.#banner.append(this.#message, this.#ago, this.#outlook);
    setInterval(() => this.#tick(), 1_000);
  }

  /** A sample has come. */
  seen(draining: boolean): void {
    this.#seenAt = Date.now();
    this.#draining = draining;
  }

  show(contact: Contact): void {
    this.#lost = contact.state === 'lost';
    document.body.dataset['contact'] = contact.state;
    if (contact.state === 'token-needed') this.#say('○', 'no token', '');
    else if (contact.state === 'lost') this.#say('✕', 'lost contact', this.#lostText(contact.why));
    else if (this.#draining) this.#say('▲', 'draining', drainingText);
    else this.#say('●', 'live', '');
    setText(this.#outlook, this.#outlookText());
    this.#drain.hidden = contact.state === 'token-needed';
    this.#tick();
  }

  #lostText(why: string): string {
    if (why !== '') return `The gateway does not send its figures: ${why}`;
    const seen = this.#seenAt === undefined ? '' : `, last seen ${clockText(this.#seenAt)}`;
    return `Lost contact with the gateway${seen}`;
  }

  #outlookText(): string {
    if (!this.#lost) return '';
    return this.#draining
      ? '. It was draining, so it has most likely stopped.'
      : '. This page comes back by itself.';
  }

  #say(sign: string, state: string, banner: string): void {
    setText(this.#sign, sign);
    setText(this.#text, state);
    setText(this.#message, banner);
    this.#banner.toggleAttribute('data-empty', banner === '');
    document.title = state === 'live' ? 'wsluice' : `${state} · wsluice`;
    for (const button of document.querySelectorAll<HTMLButtonElement>('#live button'))
      button.disabled = state !== 'live';
    this.#drain.disabled = state !== 'live';
  }

  #tick(): void {
    const seenAt = this.#lost ? this.#seenAt : undefined;
    setText(this.#ago, seenAt === undefined ? '' : ` (${durationText(Date.now() - seenAt)} ago)`);
  }
}

const drainingText =
  'The gateway is draining: nobody new is let in, what is in flight is answered, and then clients are sent away and the process ends.';
