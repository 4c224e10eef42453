import { z } from 'zod';
import { grouped } from '../../result/grouped.ts';
import { total } from '../../result/total.ts';
import { listed } from '../evidence.ts';
import type { Judge } from './expectation.ts';

export const noneDroppedSchema = z.strictObject({
  /** Endings that are no fault here, such as "closed by the server: 1013". */
  but: z.array(z.string()).default([]),
});

/** No client is disconnected, whatever happens. */
export const noneDropped: Judge<z.infer<typeof noneDroppedSchema>> = ({ dropped, waves }, { but }) => {
  const faults = Object.fromEntries(Object.entries(dropped).filter(([kind]) => !but.includes(kind)));
  const opened = waves.reduce((sum, wave) => sum + wave.opened, 0);
  const except = but.length > 0 ? `, but by ${but.join(', ')}` : '';
  return {
    expectation: `no client is disconnected${except}`,
    measured: listed(faults) || `none of ${grouped(opened)}`,
    passed: opened > 0 && total(faults) === 0,
  };
};

export const allInSchema = z.strictObject({
  waves: z.array(z.string()).min(1),
  clients: z.number().int().positive(),
  /** What the gateway may have at a time; those beyond it may be refused, with 503. */
  cap: z.number().int().positive().optional(),
});

/** Everybody gets in, in each wave; refused is only who is beyond the cap. */
export const allIn: Judge<z.infer<typeof allInSchema>> = (evidence, { waves, clients, cap }) => {
  const room = Math.min(clients, cap ?? clients);
  const told: string[] = [];
  let passed = true;
  for (const name of waves) {
    const wave = evidence.waves.find((one) => one.name === name);
    const others = Object.entries(wave?.errors ?? {}).filter(
      ([kind]) => kind !== capRefusal || room === clients,
    );
    passed &&= wave !== undefined && wave.opened === room && others.length === 0;
    const errors = listed(wave?.errors ?? {});
    told.push(`${name}: ${grouped(wave?.opened ?? 0)} in${errors === '' ? '' : `, ${errors}`}`);
  }
  const beyond = room < clients ? `, ${grouped(clients - room)} beyond the cap are refused` : '';
  return {
    expectation: `${grouped(room)} of ${grouped(clients)} clients get in, each time${beyond}`,
    measured: told.join('; '),
    passed,
  };
};

const capRefusal = 'handshake refused: HTTP 503';

export const stalledClosedSchema = z.strictObject({ clients: z.number().int().positive() });

/** The server closes exactly those who do not read; a gateway of ours for the reason that they are slow. */
export const stalledClosed: Judge<z.infer<typeof stalledClosedSchema>> = (evidence, { clients }) => {
  const { gateway, stalledDropped } = evidence;
  const slow = { type: 'slow-reader' };
  const asSlow =
    gateway &&
    gateway.after.sum('websocket_errors_total', slow) - gateway.before.sum('websocket_errors_total', slow);
  const closed = total(stalledDropped);
  const counted = asSlow === undefined ? '' : `; ${asSlow} counted as slow-reader`;
  return {
    expectation: `the ${clients} that do not read are closed${asSlow === undefined ? '' : ' as slow readers'}`,
    measured: `${listed(stalledDropped) || 'none closed'}${counted}`,
    passed: closed === clients && (asSlow === undefined || asSlow === clients),
  };
};
