import type UPlot from 'uplot';

/** uPlot, which its own script has put where scripts without modules put things. */
export const uPlot = (globalThis as unknown as { readonly uPlot: typeof UPlot }).uPlot;
