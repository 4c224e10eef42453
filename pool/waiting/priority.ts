/** The classes that requests wait in, the most urgent first; each is the index of its ring, size and weight. */
export const priorityNames = ['high', 'medium', 'low'] as const;
export type PriorityName = (typeof priorityNames)[number];

export const Priority = { high: 0, medium: 1, low: 2 } as const satisfies Record<PriorityName, number>;
export type Priority = (typeof Priority)[PriorityName];
