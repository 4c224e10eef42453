/** Tells the lines of a chart apart without their colours. */
export const dashes: readonly number[][] = [[], [6, 4], [2, 3], [10, 3, 2, 3], [1, 5], [12, 6]];
