import { chromium, type Browser } from 'playwright-core';
import { onTearDown } from './tear-down.ts';

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Debian's Chromium, closed with its test file. */
export async function startChromium(): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
  onTearDown(() => browser.close());
  return browser;
}
