import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../pool/jsonrpc/errors.ts';
import {
  closeTable,
  errorTypeOfRpcCode,
  errorTypes,
  isSendableCloseCode,
  rejectReasons,
} from './close-codes.ts';

const causes = Object.entries(closeTable);

describe('the close table', () => {
  it('is that of the contract', () => {
    expect(Object.fromEntries(causes.map(([cause, { code }]) => [cause, code]))).toEqual({
      'message-too-big': 1009,
      'rate-limited': 1008,
      undecodable: 1007,
      'decoded-too-big': 1009,
      'codec-behind': 1013,
      'upstream-slow': 1013,
      'slow-reader': 1013,
      'upstream-lost': 1012,
      dismissed: 1008,
      draining: 1001,
    });
  });

  it('has reasons that fit into a close frame', () => {
    for (const [, { code, reason }] of causes) {
      expect(isSendableCloseCode(code)).toBe(true);
      expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
    }
  });

  it('has an error type for each cause but those that are no error', () => {
    const faults = causes
      .map(([cause]) => cause)
      .filter((cause) => cause !== 'draining' && cause !== 'dismissed');
    expect(errorTypes).toEqual(expect.arrayContaining(faults));
  });
});

describe('a close code', () => {
  it.each([
    [0, 999, false],
    [1000, 1003, true],
    [1004, 1006, false],
    [1007, 1014, true],
    [1015, 2999, false],
    [3000, 4999, true],
    [5000, 5100, false],
  ])('from %i to %i may be sent: %s', (first, last, sendable) => {
    for (let code = first; code <= last; code++)
      expect([code, isSendableCloseCode(code)]).toEqual([code, sendable]);
  });
});

describe('the labels of the metrics', () => {
  it('are each named once', () => {
    expect(new Set(errorTypes).size).toBe(errorTypes.length);
    expect(new Set(rejectReasons).size).toBe(rejectReasons.length);
  });

  it('have an error type of its own for each JSON-RPC code', () => {
    const codes = Object.values(ErrorCode);
    expect([...errorTypeOfRpcCode.keys()].sort()).toEqual([...codes].sort());
    expect(new Set(errorTypeOfRpcCode.values()).size).toBe(codes.length);
  });
});

describe('docs/errors.md', () => {
  const rows = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
    .filter((cells) => cells.length === 4)
    .slice(2);

  /** The cells of the one row that counts this. */
  function rowOf(kind: 'error' | 'rejected', label: string): { upgrade: string; open: string } {
    const found = rows.filter(([, , , metric]) => metric!.includes(`${kind} \`${label}\``));
    expect([label, found.length]).toEqual([label, 1]);
    const [, upgrade = '', open = ''] = found[0]!;
    return { upgrade, open };
  }

  it('says for each error type what the client sees', () => {
    for (const type of errorTypes) expect([type, rowOf('error', type).open]).not.toEqual([type, '']);
  });

  it('says for each reject reason what the client is answered', () => {
    for (const reason of rejectReasons)
      expect(rowOf('rejected', reason).upgrade).toMatch(/\d{3}|the same status/);
  });

  it('says with which code each cause closes', () => {
    for (const [cause, { code }] of causes) {
      if (cause === 'dismissed') continue;
      const { open } = cause === 'draining' ? rowOf('rejected', cause) : rowOf('error', cause);
      expect(open).toContain(`close ${code}`);
    }
  });

  it('says how an operator closes a client, which nothing counts', () => {
    const row = rows.find(([cause]) => cause!.includes('DELETE /api/clients/<id>'));
    expect(row?.slice(1)).toEqual(['', `close ${closeTable.dismissed.code}`, '']);
  });

  it('says which JSON-RPC code each error type has', () => {
    for (const [code, type] of errorTypeOfRpcCode) expect(rowOf('error', type).open).toContain(String(code));
  });

  it('names nothing that the code does not know', () => {
    const known = { error: new Set<string>(errorTypes), rejected: new Set<string>(rejectReasons) };
    const named = rows.flatMap(([, , , metric]) => [...metric!.matchAll(/(error|rejected) `([^`]+)`/g)]);
    expect(named.length).toBeGreaterThan(0);
    for (const [, kind, label] of named) expect(known[kind as keyof typeof known]).toContain(label);
  });
});
