import { z } from 'zod';
import { grouped } from '../../result/grouped.ts';
import { total } from '../../result/total.ts';
import type { StageFigures } from '../evidence.ts';
import { listed, stageOf } from '../evidence.ts';
import type { Judge } from './expectation.ts';

/** Stages by name; all of them when none is named. */
export const answeredSchema = z.strictObject({ stages: z.array(z.string()).optional() });

/** Every message is answered, and by its own reply. */
export const answered: Judge<z.infer<typeof answeredSchema>> = (evidence, { stages }) => {
  const judged = stages?.map((name) => stageOf(evidence, name)) ?? evidence.stages;
  const sent = judged.reduce((sum, stage) => sum + stage.sent, 0);
  const replied = judged.reduce((sum, stage) => sum + stage.replied, 0);
  const wrong = judged.filter((stage) => !allAnswered(stage));
  const which = stages ? ` (${stages.join(', ')})` : '';
  const faults = wrong.map((stage) => `; ${stage.name}: ${listed(stage.errors) || 'answers are missing'}`);
  return {
    expectation: `every message is answered, and by its own reply${which}`,
    measured: `${grouped(replied)} of ${grouped(sent)}${faults.join('')}`,
    passed: sent > 0 && wrong.length === 0,
  };
};

/** Returns true when nothing went wrong in the stage, and something was sent. */
export function allAnswered(stage: StageFigures): boolean {
  return stage.sent > 0 && stage.replied === stage.sent && total(stage.errors) === 0;
}

export const endsSchema = z.strictObject({ stage: z.string(), errors: z.array(z.string()) });

/** Every message ends in its reply or in one of these errors: none is lost in silence, none answered wrongly. */
export const ends: Judge<z.infer<typeof endsSchema>> = (evidence, { stage: name, errors }) => {
  const stage = stageOf(evidence, name);
  const allowed = Object.entries(stage.errors).filter(([kind]) => errors.includes(kind));
  const others = Object.fromEntries(Object.entries(stage.errors).filter(([kind]) => !errors.includes(kind)));
  const ended = stage.replied + allowed.reduce((sum, [, count]) => sum + count, 0);
  const told = [`${grouped(stage.replied)} replies`, listed(stage.errors)].filter((part) => part !== '');
  return {
    expectation: `every message ends in its reply or in ${errors.join(', ')} (${name})`,
    measured: `${told.join(', ')}, of ${grouped(stage.sent)} sent`,
    passed: stage.sent > 0 && total(others) === 0 && ended === stage.sent,
  };
};

export const refusedSchema = z.strictObject({ stage: z.string(), as: z.string() });

/** Some messages are refused, all of them with this error: a limiter that is never reached proves nothing. */
export const refused: Judge<z.infer<typeof refusedSchema>> = (evidence, { stage: name, as }) => {
  const stage = stageOf(evidence, name);
  const count = stage.errors[as] ?? 0;
  return {
    expectation: `what is not answered is refused with ${as}, and something is (${name})`,
    measured: listed(stage.errors) || 'nothing was refused',
    passed: count > 0 && total(stage.errors) === count && stage.replied + count === stage.sent,
  };
};
