import { Field, fieldAt, isLookalike, keyLength } from './fields.ts';
import { isId } from './ids.ts';
import {
  byteAt,
  CLOSE_BRACE,
  COMMA,
  NOT_JSON,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipColon,
  skipSpace,
  skipString,
  skipValue,
  TOO_DEEP,
} from './skip-value.ts';
import { findTrailingId } from './trailing-id.ts';
import { word, wordAt } from './word.ts';

/** How deep a client's message may nest, itself included. */
export const MAX_REQUEST_DEPTH = 64;
/** How deep an upstream's message may nest, itself included. */
export const MAX_REPLY_DEPTH = 512;

/** What a message is; `NotJson` is answered with -32700, `Invalid` with -32600. */
export const ScanKind = {
  Request: 0,
  Notification: 1,
  Response: 2,
  Batch: 3,
  NotJson: 4,
  Invalid: 5,
} as const;
export type ScanKind = (typeof ScanKind)[keyof typeof ScanKind];

/** What a scan found; one instance is reused. Offsets are into the scanned buffer, −1 when absent. */
export class Scan {
  kind: ScanKind = ScanKind.NotJson;
  /** The raw id token, quotes included; an invalid message has one only when there is no doubt about it. */
  idStart = -1;
  idEnd = -1;
  /** The method without its quotes, escapes and all (`methodName` decodes it). */
  methodStart = -1;
  methodEnd = -1;
  /** Of a reply: where the value of `error` starts; −1 when it has none, or has it behind its result. */
  errorStart = -1;
  /** The value of `params`. */
  paramsStart = -1;
  paramsEnd = -1;
  /** Why the message is `NotJson` or `Invalid`, in constant words; otherwise empty. */
  fault = '';
  /** For the scanner: the fields seen so far. */
  seen = 0;
  /** For the scanner: the closing brackets awaited. */
  readonly stack = new Uint8Array(MAX_REPLY_DEPTH);
}

const USUAL_0 = word('"jso');
const USUAL_4 = word('nrpc');
const USUAL_8 = word('":"2');
const USUAL_12 = word('.0",');
const OUTCOME = Field.Result | Field.Error;
// More bits of `seen`, beside those of Field.
const NULL_ID = 64;
const AMBIGUOUS_ID = 128;
const OTHER_KEY = 256;

/** Whether a message that was scanned to its end has top-level keys that JSON-RPC does not know. */
export function hasOtherKeys({ seen }: Scan): boolean {
  return (seen & OTHER_KEY) !== 0;
}

/** Scans a client's message, all of it and strictly: JSON (RFC 8259) and JSON-RPC 2.0; only UTF-8 is not checked. */
export function scanRequest(buf: Uint8Array, start: number, end: number, into: Scan): void {
  const brace = begin(buf, start, end, into);
  if (brace < 0 || !scanMembers(buf, brace + 1, end, into, MAX_REQUEST_DEPTH, false)) return;
  if ((into.seen & Field.Jsonrpc) === 0) blame(into, 'jsonrpc is missing: it must be "2.0"');
  if ((into.seen & NULL_ID) !== 0) blame(into, 'id must not be null: leave it out of a notification');
  conclude(into);
}

/**
 * Scans an upstream's message and returns as soon as its kind and id are sure, whatever follows.
 * A `null` id counts as none: a response that carries it has an `idStart` of −1.
 */
export function scanReply(buf: Uint8Array, start: number, end: number, into: Scan): void {
  const brace = begin(buf, start, end, into);
  if (brace >= 0 && scanMembers(buf, brace + 1, end, into, MAX_REPLY_DEPTH, true)) conclude(into);
}

/** The position of the object's brace; −1 when the message is something else, and so settled. */
function begin(buf: Uint8Array, start: number, end: number, into: Scan): number {
  into.idStart = into.idEnd = into.methodStart = into.methodEnd = -1;
  into.errorStart = into.paramsStart = into.paramsEnd = -1;
  into.fault = '';
  into.seen = 0;
  const pos = skipSpace(buf, start, end);
  const first = byteAt(buf, pos, end);
  if (first === OPEN_BRACE) return pos;
  if (first === OPEN_BRACKET) into.kind = ScanKind.Batch;
  else refuseScalar(buf, pos, end, into);
  return -1;
}

function refuseScalar(buf: Uint8Array, pos: number, end: number, into: Scan): void {
  const valueEnd = skipValue(buf, pos, end, into.stack, 0);
  const complete = valueEnd >= 0 && skipSpace(buf, valueEnd, end) === end;
  if (complete) refuse(into, 'a message must be an object, or an array of them');
  else refuseBytes(into, NOT_JSON);
}

/** Walks the members of the object whose brace is before `pos`; false when that settled the message. */
function scanMembers(
  buf: Uint8Array,
  pos: number,
  end: number,
  into: Scan,
  maxDepth: number,
  lazy: boolean,
): boolean {
  pos = skipSpace(buf, skipUsualVersion(buf, pos, end, into), end);
  let more = byteAt(buf, pos, end) !== CLOSE_BRACE;
  while (more) {
    if (byteAt(buf, pos, end) !== QUOTE) return refuseBytes(into, NOT_JSON);
    const field = fieldAt(buf, pos + 1, end);
    const keyEnd = field === Field.Other ? skipOtherKey(buf, pos + 1, end, into) : pos + 1 + keyLength(field);
    const value = keyEnd < 0 ? NOT_JSON : skipColon(buf, keyEnd + 1, end);
    if (value < 0) return refuseBytes(into, NOT_JSON);
    if (field === Field.Error) into.errorStart = value;
    if (lazy && (field & OUTCOME) !== 0 && settlesByOutcome(buf, value, end, into)) return false;
    const valueEnd = skipValue(buf, value, end, into.stack, maxDepth - 1);
    if (valueEnd < 0) return refuseBytes(into, valueEnd);
    if (field === Field.Other) into.seen |= OTHER_KEY;
    else note(buf, value, valueEnd, into, field);
    pos = skipSpace(buf, valueEnd, end);
    const next = byteAt(buf, pos, end);
    // Not before the delimiter: of `"id":05`, a number that is none, only the 0 has been read.
    if (lazy && (next === COMMA || next === CLOSE_BRACE) && settlesEarly(into)) return false;
    more = next === COMMA;
    if (more) pos = skipSpace(buf, pos + 1, end);
  }
  const complete = byteAt(buf, pos, end) === CLOSE_BRACE && skipSpace(buf, pos + 1, end) === end;
  return complete || refuseBytes(into, NOT_JSON);
}

/** Past `"jsonrpc":"2.0",`, with which nearly every message begins: known at a glance, it need not be read as a member. */
function skipUsualVersion(buf: Uint8Array, pos: number, end: number, into: Scan): number {
  if (pos + 17 > end || wordAt(buf, pos) !== USUAL_0 || wordAt(buf, pos + 4) !== USUAL_4) return pos;
  if (wordAt(buf, pos + 8) !== USUAL_8 || wordAt(buf, pos + 12) !== USUAL_12) return pos;
  if (buf[pos + 16] !== QUOTE) return pos;
  into.seen = Field.Jsonrpc;
  return pos + 16;
}

function skipOtherKey(buf: Uint8Array, pos: number, end: number, into: Scan): number {
  const keyEnd = skipString(buf, pos, end);
  if (keyEnd < 0 || !isLookalike(buf, pos, keyEnd)) return keyEnd;
  into.seen |= AMBIGUOUS_ID;
  blame(into, 'a key is a reserved one in another spelling');
  return keyEnd;
}

/** Takes down a member; what is wrong goes into `fault` for later, as the rest must still prove to be JSON. */
function note(buf: Uint8Array, start: number, end: number, into: Scan, field: Field): void {
  const first = buf[start]!;
  if ((into.seen & field) !== 0) noteRepeated(into, field);
  into.seen |= field;
  switch (field) {
    case Field.Id:
      noteId(buf, start, end, into);
      break;
    case Field.Method:
      if (first === QUOTE) {
        into.methodStart = start + 1;
        into.methodEnd = end - 1;
      } else {
        blame(into, 'method must be a string');
      }
      break;
    case Field.Params:
      into.paramsStart = start;
      into.paramsEnd = end;
      break;
    case Field.Jsonrpc:
      if (!isVersion(buf, start, end)) blame(into, 'jsonrpc must be "2.0"');
      break;
  }
}

function noteRepeated(into: Scan, field: Field): void {
  if (field === Field.Id) into.seen |= AMBIGUOUS_ID;
  blame(into, 'a key appears twice');
}

function noteId(buf: Uint8Array, start: number, end: number, into: Scan): void {
  if (isId(buf, start, end)) {
    into.idStart = start;
    into.idEnd = end;
  } else if (buf[start] === 0x6e) {
    into.seen |= NULL_ID;
  } else {
    blame(into, 'id must be a string of at most 128 bytes or a safe integer in plain digits');
  }
}

/** Whether a token is exactly `"2.0"`. */
function isVersion(buf: Uint8Array, start: number, end: number): boolean {
  if (end - start !== 5 || buf[start] !== QUOTE) return false;
  return buf[start + 1] === 0x32 && buf[start + 2] === 0x2e && buf[start + 3] === 0x30;
}

/** At the value of `result` or `error`: whether the id is known, so that nothing more needs to be read. */
function settlesByOutcome(buf: Uint8Array, pos: number, end: number, into: Scan): boolean {
  if ((into.seen & Field.Method) !== 0) return false;
  if ((into.seen & Field.Id) === 0 && !findTrailingId(buf, pos, end, into)) return false;
  into.kind = ScanKind.Response;
  return true;
}

/** After a member: whether nothing that follows can change what the message is. */
function settlesEarly(into: Scan): boolean {
  if (into.fault !== '') return !refuse(into, into.fault);
  if ((into.seen & Field.Id) === 0) return false;
  const hasMethod = (into.seen & Field.Method) !== 0;
  const hasOutcome = (into.seen & OUTCOME) !== 0;
  into.kind = hasMethod ? ScanKind.Request : ScanKind.Response;
  return hasMethod ? !hasOutcome && into.idStart >= 0 : hasOutcome;
}

/** Says what a message is that was read to its end. */
function conclude(into: Scan): void {
  const hasMethod = (into.seen & Field.Method) !== 0;
  const hasOutcome = (into.seen & OUTCOME) !== 0;
  if (hasMethod && hasOutcome) blame(into, 'a message has either a method or a result or error, not both');
  if (!hasMethod && !hasOutcome) blame(into, 'a message needs a method, or a result or error');
  if (!hasMethod && (into.seen & Field.Id) === 0) blame(into, 'a response needs an id');
  if (into.fault !== '') refuse(into, into.fault);
  else if (!hasMethod) into.kind = ScanKind.Response;
  else into.kind = into.idStart < 0 ? ScanKind.Notification : ScanKind.Request;
}

/** Keeps the first thing found wrong. */
function blame(into: Scan, fault: string): void {
  if (into.fault === '') into.fault = fault;
}

function refuse(into: Scan, fault: string): false {
  into.kind = ScanKind.Invalid;
  into.fault = fault;
  if ((into.seen & AMBIGUOUS_ID) !== 0) into.idStart = into.idEnd = -1;
  return false;
}

/** Turns what `skipValue` returned instead of a position into a verdict. */
function refuseBytes(into: Scan, code: number): false {
  if (code === TOO_DEEP) return refuse(into, 'the message nests too deep');
  into.kind = ScanKind.NotJson;
  into.fault = 'the message is not valid JSON';
  into.idStart = into.idEnd = -1;
  return false;
}
