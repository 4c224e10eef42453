// npm run bench -- jsonrpc: what it costs to find id and method in the bytes, beside parsing them.
import { bench, do_not_optimize, group } from 'mitata';
import { hashId, parseWireId } from './ids.ts';
import { Scan, scanReply, scanRequest } from './scan.ts';

type Scanner = (buf: Uint8Array, start: number, end: number, into: Scan) => void;

const long = 'All work and no play makes Jack a dull boy, "isn\'t it"?\n'.repeat(180).slice(0, 10_000);
const rows = Array.from({ length: 120 }, (_, id) => ({
  id,
  price: id * 1.25,
  side: 'buy',
  tags: ['a', 'b'],
  open: true,
}));

const requests = {
  '64 bytes': '{"jsonrpc":"2.0","id":1234,"method":"eth_blockNumber","params":[]}',
  '300 bytes':
    '{"jsonrpc":"2.0","method":"eth_call","params":[{"from":"0x0000000000000000000000000000000000000000",' +
    '"to":"0x6b175474e89094c44da98b954eedeac495271d0f","gas":"0x2dc6c0","data":"0x70a08231000000000000000000000000' +
    '6e0d01a76c3cf4288372a29124a26d4353ee51be00000000"},"latest"],"id":"6f1c9a52-7f53-4c53-8f4b-11d0fd2c6f3a"}',
  '10 KB of text': JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'say', params: [long] }),
  '10 KB of structure': JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'put', params: rows }),
};

const replies = {
  'id first': '{"jsonrpc":"2.0","id":1234,"result":"0x10d4f"}',
  'id last': '{"jsonrpc":"2.0","result":"0x10d4f","id":1234}',
  '10 KB, id last': JSON.stringify({ jsonrpc: '2.0', result: long, id: 7 }),
  '10 KB, id in the middle': JSON.stringify({ jsonrpc: '2.0', result: long, id: 7, meta: 1 }),
};

function measure(scan: Scanner, messages: Record<string, string>): void {
  const into = new Scan();
  for (const [name, text] of Object.entries(messages)) {
    const buf = new TextEncoder().encode(text);
    bench(name, () => {
      scan(buf, 0, buf.length, into);
      do_not_optimize(into.kind);
    });
    bench(`${name}: JSON.parse, for comparison`, () => {
      do_not_optimize(JSON.parse(Buffer.from(buf.buffer).toString()));
    });
  }
}

group('scanRequest', () => measure(scanRequest, requests));
group('scanReply', () => measure(scanReply, replies));
group('ids', () => {
  const digits = Buffer.from('1234567');
  const uuid = Buffer.from('"6f1c9a52-7f53-4c53-8f4b-11d0fd2c6f3a"');
  bench('parseWireId, 7 digits', () => do_not_optimize(parseWireId(digits, 0, digits.length)));
  bench('hashId, a UUID', () => do_not_optimize(hashId(uuid, 0, uuid.length)));
});
