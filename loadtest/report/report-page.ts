/** How a number is written: the unit it has. */
export type Unit = 'ms' | 'per second' | 'bytes' | 'cores' | 'count';

/** What a fact means to its reader; never told by colour alone. */
export type Mood = 'good' | 'bad' | 'warn' | 'plain';

/** What a report shows, in its order. All words are found before it is written: the page only lays them out, as text, and draws. */
export interface ReportPage {
  readonly title: string;
  /** Under the title. */
  readonly about: readonly string[];
  /** What must not be overlooked. */
  readonly marks: readonly Mark[];
  /** What a reader looks for first. */
  readonly figures: readonly KeyFigure[];
  readonly sections: readonly Section[];
}

export interface KeyFigure {
  readonly label: string;
  readonly text: string;
}

export interface Mark {
  readonly mood: Mood;
  readonly text: string;
}

export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

export type Block = Table | LineChart | Bars | Points | Facts;

/** Cells as text; `moods` says of some, by row and column ("2,3"), what they mean. */
export interface Table {
  readonly kind: 'table';
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly moods?: Readonly<Record<string, Mood>>;
  /** Columns that are numbers, and stand to the right. */
  readonly numbers: readonly number[];
  readonly note?: string;
}

export interface Line {
  readonly label: string;
  /** One for each of the chart's `xs`, or of its own; null where nothing was measured, which leaves a gap. */
  readonly ys: readonly (number | null)[];
  readonly xs?: readonly number[];
}

export interface LineChart {
  readonly kind: 'lines';
  readonly title: string;
  /** "nines" are −log10 of the distance to 100 %: 2 is 99 %. */
  readonly x: 'seconds' | 'nines' | 'per second' | 'connections';
  readonly xs: readonly number[];
  readonly unit: Unit;
  readonly logarithmic: boolean;
  readonly lines: readonly Line[];
  /** The drawing in a sentence, for those who do not see it. */
  readonly summary: string;
  readonly note?: string;
  /** Each value is marked: there are few. */
  readonly marked?: boolean;
  readonly wide?: boolean;
}

export interface Bar {
  readonly label: string;
  /** Null for what is not said, and `text` is why. */
  readonly value: number | null;
  readonly text: string;
  readonly mood?: Mood;
  /** A line across the bar. */
  readonly goal?: number;
}

export interface Bars {
  readonly kind: 'bars';
  readonly title: string;
  readonly bars: readonly Bar[];
  readonly note?: string;
  readonly wide?: boolean;
}

/** Names and values. */
export interface Facts {
  readonly kind: 'facts';
  readonly title: string;
  readonly facts: readonly (readonly [string, string])[];
}

/** Sentences, each with its mood. */
export interface Points {
  readonly kind: 'points';
  readonly title: string;
  readonly points: readonly Mark[];
}
