import { isEscaped } from './ids.ts';
import { word, wordAt } from './word.ts';

/** The top-level keys that mean something in JSON-RPC 2.0, as bits, so that a set of them is a number. */
export const Field = {
  /** Any other key. */
  Other: 0,
  Id: 1,
  Method: 2,
  Jsonrpc: 4,
  Params: 8,
  Result: 16,
  Error: 32,
} as const;
export type Field = (typeof Field)[keyof typeof Field];

const NAMES = ['id', 'method', 'jsonrpc', 'params', 'result', 'error'].map((name) => Buffer.from(name));
const QUOTE = 0x22;
const METH = word('meth');
const HOD_ = word('hod"');
const JSON_ = word('json');
const RPC_ = word('rpc"');
const PARA = word('para');
const AMS_ = word('ams"');
const RESU = word('resu');
const ULT_ = word('ult"');
const ERRO = word('erro');
const ROR_ = word('ror"');

/** Which field the key names that starts at `pos`, after its quote; `Other` for any key but the six, spelt exactly. */
export function fieldAt(buf: Uint8Array, pos: number, end: number): Field {
  if (pos + 3 > end) return Field.Other;
  switch (buf[pos]) {
    case 0x69:
      return buf[pos + 1] === 0x64 && buf[pos + 2] === QUOTE ? Field.Id : Field.Other;
    case 0x6d:
      return spells(buf, pos, end, 7, METH, HOD_) ? Field.Method : Field.Other;
    case 0x6a:
      return spells(buf, pos, end, 8, JSON_, RPC_) ? Field.Jsonrpc : Field.Other;
    case 0x70:
      return spells(buf, pos, end, 7, PARA, AMS_) ? Field.Params : Field.Other;
    case 0x72:
      return spells(buf, pos, end, 7, RESU, ULT_) ? Field.Result : Field.Other;
    case 0x65:
      return spells(buf, pos, end, 6, ERRO, ROR_) ? Field.Error : Field.Other;
    default:
      return Field.Other;
  }
}

/** Whether `length` bytes (5 to 8) begin with one word and end with another, which may overlap. */
function spells(
  buf: Uint8Array,
  pos: number,
  end: number,
  length: number,
  head: number,
  tail: number,
): boolean {
  return pos + length <= end && wordAt(buf, pos) === head && wordAt(buf, pos + length - 4) === tail;
}

/** The bytes in the key of a field other than `Other`. */
export function keyLength(field: Field): number {
  return field === Field.Id ? 2 : field === Field.Jsonrpc ? 7 : field === Field.Error ? 5 : 6;
}

/**
 * Whether some parsers take a key that {@link fieldAt} calls `Other` for a field: it has an escape (`\u0069d`), or other letters
 * (`ID`). Go's encoding/json and .NET match in any case, so that a second `ID` would override the id that we wrote.
 */
export function isLookalike(buf: Uint8Array, start: number, end: number): boolean {
  for (const name of NAMES) {
    if (name.length === end - start && matchesInAnyCase(buf, start, end, name)) return true;
  }
  return isEscaped(buf, start, end);
}

function matchesInAnyCase(buf: Uint8Array, start: number, end: number, name: Uint8Array): boolean {
  for (let i = start; i < end; i++) {
    if ((buf[i]! | 0x20) !== name[i - start]) return false;
  }
  return true;
}
