import type { UpstreamConnection } from '../upstream.ts';
import { priorityNames, type Priority } from '../waiting/priority.ts';
import {
  ensure,
  idOf,
  isAnswer,
  isMadeHere,
  isOutcome,
  ModelConnection,
  name,
  priorityOf,
  type ClientMessage,
  type Entry,
  type ModelBatch,
  type ModelClient,
} from './request-entries.fixture.ts';
import type { RequestLimits, RequestMode } from './request.ts';

/** How late an error may come (the bar for a bounded wait). */
const toleranceMs = 250;
/** What a retry budget may have saved up. */
const maxSavedRetries = 10;
/** What the world draws whenever chance is asked for. */
export const modelRandom = 0.5;
/** An id that was restored after a lost connection is in its one spelling: "a" for "\u0061". */
const respellingBytes = 5;

/** What the world is doing to the pool right now: it limits what may happen. */
export type Operation =
  | { readonly kind: 'send'; readonly entry: Entry }
  | { readonly kind: 'batch'; readonly client: ModelClient; readonly batch: ModelBatch }
  | { readonly kind: 'refused'; readonly client: ModelClient; readonly code: number }
  | { readonly kind: 'reply'; readonly entry: Entry | undefined }
  | { readonly kind: 'lost'; readonly connection: ModelConnection }
  | { readonly kind: 'other' };

/** The reference: a plain map of what is outstanding, told of everything that happens, which throws when it may not. */
export class RequestModel {
  readonly clients: ModelClient[] = [];
  readonly connections = new Map<UpstreamConnection, ModelConnection>();
  readonly entries = new Map<string, Entry>();
  /** Whether every endpoint's last dial failed. */
  allFailing = false;
  readonly counts = { accepted: 0, replied: 0, errored: 0, abandoned: 0, upstreamsLost: 0, retries: 0 };
  readonly dropped = { unknownId: 0, unowned: 0, malformed: 0 };
  /** How often each kind of end was seen, so that a test can tell that the run was worth something. */
  readonly ends = new Map<string, number>();
  readonly #mode: RequestMode;
  readonly #limits: RequestLimits;
  readonly #now: () => number;
  #operation: Operation | undefined;
  #received: ClientMessage[] = [];
  #batchAnswers: { readonly client: ModelClient; readonly messages: ClientMessage[] }[] = [];
  #unretried = 0;
  #savedRetries = maxSavedRetries;

  constructor(mode: RequestMode, now: () => number) {
    this.#mode = mode;
    this.#limits = mode.limits;
    this.#now = now;
  }

  /** Runs one thing that happens to the pool and checks everything afterwards. It may happen in the midst of something else. */
  during(operation: Operation, act: () => void): void {
    const outer = this.#operation;
    if (outer !== undefined && outer.kind !== 'other')
      throw new Error(`bug: ${operation.kind} happens during ${outer.kind}`);
    // What happened so far is not to be taken for a part of what comes.
    if (outer !== undefined) this.#checkAll();
    this.#begin(operation);
    if (operation.kind === 'send') this.#onOffer(operation.entry);
    if (operation.kind === 'batch') this.#onOfferBatch(operation.batch);
    if (operation.kind === 'lost') this.#onLost(operation.connection);
    act();
    if (operation.kind === 'send') this.#concludeSend(operation.entry);
    if (operation.kind === 'batch') this.#concludeBatch(operation.client, operation.batch);
    if (operation.kind === 'refused') this.#concludeRefused(operation.code);
    if (operation.kind === 'reply') this.#concludeReply(operation.entry);
    this.#checkAll();
    this.#begin(outer);
  }

  #begin(operation: Operation | undefined): void {
    this.#operation = operation;
    this.#received = [];
    this.#batchAnswers = [];
    this.#unretried = 0;
  }

  /** The pool gave a message to an upstream connection. */
  onSubmitted(upstream: UpstreamConnection, text: string, wireId: number | undefined): void {
    const entry = this.#entryOf(text);
    const connection = this.connectionOf(upstream);
    ensure(connection.open, () => `${name(entry)} was given to a connection that is gone`);
    const around = entry.text.join(wireId === undefined ? '' : String(wireId));
    ensure(
      text.trim() === around.trim(),
      () => `${name(entry)} was changed on its way: ${text} instead of ${around}`,
    );
    if (this.#isRetry(entry)) this.#countRetry(entry);
    ensure(
      this.#now() >= entry.client.heldUntilMs,
      () => `${name(entry)} was sent before the back-off of its client was over`,
    );
    ensure(
      entry.state === 'offered' || entry.state === 'waiting',
      () => `${name(entry)} was submitted twice`,
    );
    this.#checkOrder(entry, connection);
    entry.state = 'submitted';
    entry.written = false;
    connection.unwritten.push({ entry, text });
    entry.connection = connection;
    if (wireId === undefined) {
      entry.client.notifications.delete(entry);
      return;
    }
    ensure(wireId > connection.lastWireId, () => `wire id ${wireId} comes after ${connection.lastWireId}`);
    ensure(wireId < this.#limits.idCeiling, () => `wire id ${wireId} reaches the ceiling`);
    connection.lastWireId = wireId;
    entry.wireId = wireId;
    connection.taken.set(wireId, entry);
    const elsewhere = entry.client.pending.find(
      (other) =>
        other !== entry &&
        other.state === 'submitted' &&
        other.connection !== connection &&
        other.connection!.open &&
        (other.batch === undefined || this.#isInTable(other)),
    );
    ensure(elsewhere === undefined, () => `${name(entry)} is on another connection than ${name(elsewhere)}`);
  }

  /** The pool handed a message to a connection's socket. */
  onWritten(upstream: UpstreamConnection, text: string): Entry {
    const connection = this.connectionOf(upstream);
    const next = connection.unwritten.shift();
    ensure(next?.text === text, () => `written out of turn: ${text} instead of ${next?.text}`);
    const { entry } = next!;
    if (entry.connection !== connection) return entry;
    entry.written = true;
    ensure(
      !entry.everWritten || (entry.method === 'idempotent' && entry.retries > 0),
      () => `${name(entry)} was written to a second connection`,
    );
    entry.everWritten = true;
    return entry;
  }

  /** The pool said goodbye to an upstream. */
  onClosed(upstream: UpstreamConnection): void {
    const connection = this.connections.get(upstream);
    if (connection?.open !== true) return;
    this.#releaseLateTombstones(connection);
    // What ended in this very sweep is explained later; only then is it known what became of the elements of batches.
    const isInFlight = [...connection.taken.keys()].some((id) => connection.channel.inFlight.find(id) >= 0);
    ensure(!isInFlight, 'a connection was closed with requests in flight');
    this.tally('recycled');
    connection.open = false;
  }

  onClientMessage(client: ModelClient, text: string): void {
    ensure(!client.left, () => `client ${client.number} left and got ${text}`);
    for (const [token] of text.matchAll(/#\w+#/g)) {
      ensure(
        this.entries.get(token)?.client === client,
        () => `client ${client.number} got a foreign ${token}: ${text}`,
      );
    }
    const message = JSON.parse(text) as ClientMessage | ClientMessage[];
    const kind = this.#operation?.kind;
    if (Array.isArray(message)) this.#batchAnswers.push({ client, messages: message });
    else if (kind === 'send' || kind === 'batch' || kind === 'refused') this.#received.push(message);
    else if (isMadeHere(message)) this.#fail(client, message);
    else this.#onReply(client, message);
  }

  onClientLeft(client: ModelClient): void {
    client.left = true;
    this.counts.abandoned += client.outstanding.size;
    this.tally('abandoned', client.outstanding.size);
    for (const entry of client.outstanding.values()) if (entry.state !== 'submitted') entry.state = 'ended';
    client.outstanding.clear();
    client.notifications.clear();
    client.batches.clear();
  }

  /** Nothing may be left once everybody had their time. */
  checkSettled(): void {
    const left = this.clients.flatMap((client) => client.pending);
    ensure(left.length === 0, () => `${left.map(name).join(', ')} never ended`);
    ensure(this.#mode.waiting === 0, 'something still waits');
    ensure(this.#mode.inFlight === 0, 'something is still in flight');
    const batches = this.clients.reduce((sum, client) => sum + client.batches.size, 0);
    ensure(batches === 0, () => `${batches} batches were never answered`);
    const { accepted, replied, errored, abandoned } = this.#mode.counts;
    ensure(accepted === replied + errored + abandoned, 'the ledger does not balance');
  }

  #entryOf(text: string): Entry {
    const token = /#\w+#/.exec(text)?.[0] ?? '';
    const entry = this.entries.get(token);
    if (entry === undefined) throw new Error(`nobody sent this: ${text}`);
    return entry;
  }

  /** Learns of a connection when it is first used. */
  connectionOf(upstream: UpstreamConnection): ModelConnection {
    const known = this.connections.get(upstream);
    if (known !== undefined) return known;
    const channel = this.#mode.channels.find((one) => one.upstream === upstream);
    if (channel === undefined) throw new Error('a connection is used that the pool does not have');
    const connection = new ModelConnection(upstream, channel);
    this.connections.set(upstream, connection);
    return connection;
  }

  #checkOrder(entry: Entry, connection: ModelConnection): void {
    this.#checkNotOvertaking(entry);
    // A notification does not bind its client: what came after it may have gone elsewhere before it had to move.
    if (entry.isNotification && entry.connection !== undefined) return;
    const last = connection.lastSequence.get(entry.client) ?? -1;
    ensure(last < entry.sequence, () => `${name(entry)} comes after number ${last} on its connection`);
    connection.lastSequence.set(entry.client, entry.sequence);
  }

  #checkNotOvertaking(entry: Entry): void {
    const overtaken = entry.client.pending.find((other) => {
      if (other.state !== 'waiting' || other.sequence >= entry.sequence) return false;
      if (other.isNotification && other.connection !== undefined) return false;
      // The ends of notifications and of a batch's elements are not seen at once.
      return (!other.isNotification && other.batch === undefined) || this.#waits(other);
    });
    ensure(overtaken === undefined, () => `${name(entry)} overtakes ${name(overtaken)}`);
  }

  #onOffer(entry: Entry): void {
    this.entries.set(entry.token, entry);
    entry.acceptedAtMs = entry.queuedAtMs = this.#now();
    if (entry.isNotification) return;
    this.counts.accepted++;
    this.#savedRetries = Math.min(maxSavedRetries, this.#savedRetries + this.#limits.retryBudgetRatio);
  }

  #onOfferBatch(batch: ModelBatch): void {
    for (const entry of batch) {
      if (entry === undefined) continue;
      entry.batch = batch;
      this.#onOffer(entry);
    }
  }

  #concludeBatch(client: ModelClient, batch: ModelBatch): void {
    for (const entry of batch) if (entry !== undefined) this.#concludeSend(entry);
    if (batch.some((entry) => entry?.isNotification !== true)) client.batches.add(batch);
  }

  #concludeSend(entry: Entry): void {
    const refusals = this.#refusals(entry);
    const isTaken = entry.state === 'submitted' || this.#waits(entry);
    if (isTaken) {
      ensure(refusals.size === 0, () => `${name(entry)} was taken and had to be refused`);
      this.#onTaken(entry);
    } else {
      this.#onNotTaken(entry, refusals.size > 0 ? refusals : this.#reasonsNotToQueue(entry));
    }
    ensure(this.#received.length === 0, () => `an answer to nothing: ${JSON.stringify(this.#received)}`);
  }

  #onTaken(entry: Entry): void {
    if (entry.state === 'offered') {
      ensure(
        this.#reasonsNotToQueue(entry, respellingBytes).size === 0,
        () => `${name(entry)} was queued past a limit`,
      );
      entry.state = 'waiting';
    } else {
      this.#checkNotOvertaking(entry);
    }
    if (!entry.isNotification) entry.client.outstanding.set(entry.id, entry);
    else if (entry.state === 'waiting') entry.client.notifications.add(entry);
  }

  #onNotTaken(entry: Entry, codes: ReadonlySet<number>): void {
    ensure(codes.size > 0, () => `${name(entry)} was not taken though nothing spoke against it`);
    entry.state = 'ended';
    if (entry.isNotification) return;
    this.counts.errored++;
    entry.outcome = codes;
    if (entry.batch !== undefined) return;
    const answer = this.#received.shift();
    ensure(
      answer !== undefined && isOutcome(entry, answer),
      () => `${name(entry)} got ${JSON.stringify(answer)}`,
    );
    this.tally(`${answer!.error!.code} at once`);
  }

  /** The errors that a message must get whatever the state of the pool. */
  #refusals(entry: Entry): Set<number> {
    const codes = new Set<number>();
    if (entry.client.refused) codes.add(-32000);
    if (entry.method === 'stateful') codes.add(-32600);
    if (!entry.isNotification && entry.client.outstanding.has(entry.id)) codes.add(-32600);
    if (entry.client.pending.length >= this.#limits.maxInFlightPerClient) codes.add(-32003);
    return codes;
  }

  /** `slack` is what each that waits may have become shorter by. */
  #reasonsNotToQueue(entry: Entry, slack = 0): Set<number> {
    if (!this.#hopeful) return new Set([-32000]);
    const waiting = this.clients.flatMap(({ pending }) => pending.filter(({ state }) => state === 'waiting'));
    const bytes = waiting.reduce((sum, { size }) => sum + size - slack, entry.size);
    const { maxSize, maxBytes } = this.#limits.queue;
    const alike = waiting.filter((other) => priorityOf(other) === priorityOf(entry));
    const overfull =
      waiting.length >= maxSize || alike.length >= this.#maxSizeOf(priorityOf(entry)) || bytes > maxBytes;
    return new Set(overfull ? [-32003] : []);
  }

  #maxSizeOf(priority: Priority): number {
    const one = this.#limits.queue.priority[priorityNames[priority]];
    return typeof one === 'number' ? Infinity : (one.maxSize ?? Infinity);
  }

  get #hopeful(): boolean {
    return this.#mode.channels.length > 0 || !this.allFailing;
  }

  #concludeRefused(code: number): void {
    const [answer, ...more] = this.#received;
    ensure(
      more.length === 0 && answer?.error?.code === code,
      () => `refused with ${JSON.stringify(this.#received)}`,
    );
    this.tally(`refused with ${code}`);
  }

  #concludeReply(entry: Entry | undefined): void {
    if (entry === undefined || entry.client.left) return;
    if (entry.batch === undefined)
      ensure(entry.state === 'ended', () => `${name(entry)} was not given its reply`);
  }

  /** The back end answers a request that occupies a slot; for all others the world counts a drop. */
  onBackendReply(entry: Entry): void {
    entry.connection!.taken.delete(entry.wireId);
    if (entry.client.left || entry.batch === undefined) return;
    entry.outcome = 'reply';
    this.counts.replied++;
    this.#end(entry, 'reply in a batch');
  }

  #onReply(client: ModelClient, message: ClientMessage): void {
    const entry = this.#operation?.kind === 'reply' ? this.#operation.entry : undefined;
    const text = JSON.stringify(message);
    if (entry === undefined) throw new Error(`client ${client.number} got a reply that nobody sent: ${text}`);
    ensure(entry.client === client && entry.batch === undefined, () => `client ${client.number} got ${text}`);
    ensure(entry.state === 'submitted', () => `${name(entry)} had its end already and got ${text}`);
    entry.outcome = 'reply';
    ensure(isOutcome(entry, message), () => `${name(entry)} got ${text}`);
    this.counts.replied++;
    this.#end(entry, message.error === undefined ? 'reply' : 'error reply');
  }

  #fail(client: ModelClient, message: ClientMessage): void {
    const entry = client.outstanding.get(idOf(message));
    const code = message.error!.code;
    if (entry === undefined) throw new Error(`client ${client.number} got an error for nothing: ${code}`);
    ensure(this.#reasons(entry).has(code), () => `${name(entry)}, ${entry.state}, got ${code}`);
    if (code === -32002 && entry.state === 'submitted' && this.#mayRetry(entry)) this.#onNotRetried();
    this.counts.errored++;
    this.#end(entry, String(code));
  }

  /** The errors that a request may get now. */
  #reasons(entry: Entry): Set<number> {
    const codes = new Set<number>();
    const nowMs = this.#now();
    const operation = this.#operation;
    const isOverdue = nowMs >= entry.acceptedAtMs + this.#limits.requestTimeoutMs;
    if (isOverdue) codes.add(-32001);
    if (entry.state === 'waiting' && !entry.everWritten) {
      if (isOverdue || nowMs >= entry.queuedAtMs + this.#limits.queue.timeoutMs) codes.add(-32003);
      if (!this.#hopeful) codes.add(-32000);
    }
    const isLost = operation?.kind === 'lost' && operation.connection === entry.connection && entry.written;
    const isLostInRetry = entry.state === 'waiting' && entry.everWritten;
    if (isLost || isLostInRetry) codes.add(-32002);
    return codes;
  }

  #end(entry: Entry, how: string): void {
    this.tally(how);
    entry.state = 'ended';
    entry.connection?.taken.delete(entry.wireId);
    entry.client.outstanding.delete(entry.id);
  }

  tally(how: string, count = 1): void {
    this.ends.set(how, (this.ends.get(how) ?? 0) + count);
  }

  /** What was never written has to move on; what was written stays where it is until the pool decides. */
  #onLost(connection: ModelConnection): void {
    connection.open = false;
    this.counts.upstreamsLost++;
    for (const { entry } of connection.unwritten) {
      if (entry.client.left || entry.state !== 'submitted' || entry.connection !== connection) continue;
      entry.state = 'waiting';
      entry.queuedAtMs = this.#now();
      if (entry.isNotification) entry.client.notifications.add(entry);
      else this.tally('moved');
    }
    connection.unwritten.length = 0;
  }

  #mayRetry(entry: Entry): boolean {
    return entry.method === 'idempotent' && entry.retries < this.#limits.maxRetries;
  }

  #onNotRetried(): void {
    this.#unretried++;
    this.tally('not retried');
  }

  #isRetry(entry: Entry): boolean {
    return (
      entry.state === 'submitted' && entry.written && entry.connection?.open === false && !entry.client.left
    );
  }

  #countRetry(entry: Entry): void {
    ensure(this.#mayRetry(entry), () => `${name(entry)} was retried and must not be`);
    ensure(this.#savedRetries >= 0.999, () => `${name(entry)} was retried beyond the budget`);
    this.#savedRetries--;
    entry.retries++;
    this.counts.retries++;
    this.tally('retried');
    entry.state = 'waiting';
    entry.written = false;
    entry.queuedAtMs = this.#backOff(entry);
  }

  /** Until when the client is held for this retry. */
  #backOff({ client, retries }: Entry): number {
    const { retryBackoffMs } = this.#limits;
    if (retryBackoffMs === 0) return this.#now();
    const delayMs = modelRandom * Math.min(retryBackoffMs * 2 ** (retries - 1), 10 * retryBackoffMs);
    client.heldUntilMs = Math.max(client.heldUntilMs, this.#now() + delayMs);
    this.tally('backed off');
    return client.heldUntilMs;
  }

  get #answerTexts(): string {
    return this.#batchAnswers.map(({ messages }) => JSON.stringify(messages)).join(' ');
  }

  /** A batch is answered when its last element has its end, once and in one array. */
  #checkBatches(): void {
    for (const client of this.clients) {
      const done = [...client.batches].filter((batch) =>
        batch.every((entry) => entry === undefined || entry.isNotification || entry.state === 'ended'),
      );
      // A batch may, or may not, wait for its notifications too: those that may not take their answer first.
      const isWaiting = (batch: ModelBatch): boolean => batch.some((entry) => entry?.state === 'waiting');
      for (const batch of done.filter((one) => !isWaiting(one))) {
        const isAnswered = this.#takeAnswer(client, batch);
        ensure(isAnswered, () => `no answer to ${batch.map(name).join(', ')}: ${this.#answerTexts}`);
      }
      for (const batch of done.filter(isWaiting)) this.#takeAnswer(client, batch);
    }
    ensure(this.#batchAnswers.length === 0, () => `an answer to no batch: ${this.#answerTexts}`);
  }

  #takeAnswer(client: ModelClient, batch: ModelBatch): boolean {
    const index = this.#batchAnswers.findIndex(
      (answer) => answer.client === client && isAnswer(batch, answer.messages),
    );
    if (index < 0) return false;
    this.#batchAnswers.splice(index, 1);
    client.batches.delete(batch);
    this.tally('batch');
    return true;
  }

  #checkAll(): void {
    const waiting = this.clients.reduce((sum, client) => sum + this.#checkClient(client), 0);
    ensure(waiting === this.#mode.waiting, () => `${this.#mode.waiting} wait instead of ${waiting}`);
    if (this.#unretried > 0)
      ensure(this.#savedRetries < 1.001, 'a request was not retried within the budget');
    for (const connection of this.connections.values()) this.#checkConnection(connection);
    this.#checkBatches();
    this.#checkCounts();
  }

  #checkClient(client: ModelClient): number {
    if (client.left) return 0;
    for (const entry of client.pending) this.#checkEntry(entry);
    const waiting = client.pending.filter(({ state }) => state === 'waiting');
    ensure(
      client.lease.waiting.length === waiting.length,
      () => `client ${client.number} waits for something unknown`,
    );
    ensure(
      client.lease.busy === client.pending.length > 0,
      () => `client ${client.number} is busy with nothing, or not`,
    );
    if (waiting.length === 0) client.heldUntilMs = 0;
    if (waiting.length > 0 && this.#now() >= client.heldUntilMs) this.#checkThereIsNoRoom(client);
    return waiting.length;
  }

  #checkEntry(entry: Entry): void {
    if (this.#isRetry(entry) && this.#waits(entry)) this.#countRetry(entry);
    const isThere = entry.state === 'waiting' ? this.#waits(entry) : this.#isInTable(entry);
    if (!isThere) {
      this.#explainAbsence(entry);
      return;
    }
    const nowMs = this.#now();
    const ageMs = nowMs - entry.acceptedAtMs;
    const isLate = !entry.isNotification && ageMs > this.#limits.requestTimeoutMs + toleranceMs;
    ensure(!isLate, () => `${name(entry)}, ${entry.state}, is ${ageMs} ms old and has no answer`);
    const waitedMs = nowMs - entry.queuedAtMs;
    const isTooLong = entry.state === 'waiting' && waitedMs > this.#limits.queue.timeoutMs + toleranceMs;
    ensure(!isTooLong, () => `${name(entry)} has waited for ${waitedMs} ms`);
  }

  /** The outcome of a batch's element is not seen yet, a notification has none: there must be a reason for it all the same. */
  #explainAbsence(entry: Entry): void {
    const codes = this.#reasons(entry);
    const isSilent = entry.isNotification || entry.batch !== undefined;
    ensure(isSilent && codes.size > 0, () => `${name(entry)}, ${entry.state}, is lost`);
    if (entry.isNotification) {
      entry.client.notifications.delete(entry);
      entry.state = 'ended';
      return;
    }
    if (codes.has(-32002) && entry.state === 'submitted' && this.#mayRetry(entry)) this.#onNotRetried();
    entry.outcome = codes;
    this.counts.errored++;
    this.#end(entry, `${[...codes].join(' or ')} in a batch`);
  }

  #isInTable({ connection, wireId, client }: Entry): boolean {
    const { inFlight } = connection!.channel;
    const slot = inFlight.find(wireId);
    return connection!.open && slot >= 0 && inFlight.owners[slot] === client.lease;
  }

  #waits(entry: Entry): boolean {
    return [...entry.client.lease.waiting].some(({ bytes, start, end }) =>
      Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).includes(entry.token),
    );
  }

  /** Nobody waits for a free slot. */
  #checkThereIsNoRoom(client: ModelClient): void {
    const bound = client.pending.find(({ state }) => state === 'submitted')?.connection?.channel;
    const free = bound === undefined ? this.#mode.channels.filter(({ available }) => available) : [bound];
    ensure(
      !free.some(({ available }) => available),
      () => `client ${client.number} waits though there is room`,
    );
  }

  #checkConnection(connection: ModelConnection): void {
    if (!connection.open) return;
    this.#releaseLateTombstones(connection);
    const { load } = connection.channel;
    ensure(load === connection.taken.size, () => `a load of ${load} instead of ${connection.taken.size}`);
    ensure(load <= this.#limits.maxInFlightPerConnection, () => `a load of ${load}`);
  }

  /** The slots of clients that left stay taken until the reply or the timeout. */
  #releaseLateTombstones(connection: ModelConnection): void {
    for (const [wireId, entry] of connection.taken) {
      if (!entry.client.left) continue;
      const overdueMs = this.#now() - entry.acceptedAtMs - this.#limits.requestTimeoutMs;
      const isCharged = connection.channel.inFlight.find(wireId) >= 0;
      ensure(
        isCharged || overdueMs >= 0,
        () => `the slot of ${name(entry)}, whose client left, is free before its time`,
      );
      ensure(
        !isCharged || overdueMs <= toleranceMs,
        () => `the slot of ${name(entry)}, whose client left, is never freed`,
      );
      if (!isCharged) connection.taken.delete(wireId);
    }
  }

  #checkCounts(): void {
    const { counts } = this.#mode;
    for (const [key, expected] of Object.entries(this.counts)) {
      const actual = counts[key as keyof typeof this.counts];
      ensure(actual === expected, () => `${key} is ${actual} instead of ${expected}`);
    }
    const { unknownId, unowned, malformed } = this.dropped;
    const drops = [counts.droppedUnknownId, counts.droppedUnowned, counts.droppedMalformed];
    ensure(
      String(drops) === String([unknownId, unowned, malformed]),
      () => `dropped ${String(drops)} instead of ${unknownId},${unowned},${malformed}`,
    );
    const live = this.clients.reduce((sum, { outstanding }) => sum + outstanding.size, 0);
    const { accepted, replied, errored, abandoned } = counts;
    ensure(accepted === replied + errored + abandoned + live, 'the ledger does not balance');
    const load = this.#mode.channels.reduce((sum, channel) => sum + channel.load, 0);
    ensure(load === this.#mode.inFlight, 'the loads do not add up to what is in flight');
  }
}
