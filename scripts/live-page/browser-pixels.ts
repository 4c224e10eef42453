import type { Browser } from 'playwright-core';
import type { Pixels } from './palette-png.ts';

/** What a PNG shows: Chromium reads its own pictures. */
export async function pixelsOf(browser: Browser, png: Buffer): Promise<Pixels> {
  const page = await browser.newPage();
  const read = `(async () => {
    const bitmap = await createImageBitmap(await (await fetch('data:image/png;base64,${png.toString('base64')}')).blob());
    const { width, height } = bitmap;
    const context = new OffscreenCanvas(width, height).getContext('2d');
    context.drawImage(bitmap, 0, 0);
    const reader = new FileReader();
    reader.readAsDataURL(new Blob([context.getImageData(0, 0, width, height).data]));
    await new Promise((resolve) => reader.addEventListener('load', resolve));
    return { width, height, base64: reader.result.replace(/^.*,/, '') };
  })()`;
  const { base64, ...size } = await page.evaluate<{ width: number; height: number; base64: string }>(read);
  await page.close();
  return { ...size, rgba: Buffer.from(base64, 'base64') };
}
