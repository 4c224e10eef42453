import type { PoolReport, UpstreamReport } from '../pools-control.ts';
import type { Question } from './confirm-dialog.ts';
import { countText, durationText, plural } from './format.ts';

/** How something is: in words, and how bad that is. */
export interface Standing {
  readonly text: string;
  readonly mood: 'good' | 'warn' | 'bad' | 'quiet';
}

export function poolStanding({ paused, healthy, embedded }: PoolReport): Standing {
  if (paused) return { text: 'paused', mood: 'warn' };
  if (!healthy) return { text: 'no upstream in reach', mood: 'bad' };
  return { text: embedded ? 'embedded backend' : 'running', mood: 'good' };
}

const upstreamStates: Readonly<Record<UpstreamReport['state'], Standing>> = {
  untried: { text: 'not tried yet', mood: 'quiet' },
  up: { text: 'up', mood: 'good' },
  down: { text: 'down', mood: 'bad' },
  'breaker-open': { text: 'breaker open', mood: 'bad' },
  'half-open': { text: 'breaker half-open', mood: 'warn' },
  ejected: { text: 'ejected', mood: 'warn' },
  paused: { text: 'paused', mood: 'warn' },
  removed: { text: 'removed, emptying', mood: 'quiet' },
};

export function upstreamStanding({ state, stateAgeMs, breaker, retryInMs }: UpstreamReport): Standing {
  const { text, mood } = upstreamStates[state];
  const since = state === 'untried' ? '' : ` for ${durationText(stateAgeMs)}`;
  const ofBreaker = text.startsWith('breaker') ? '' : ` · breaker ${breaker}`;
  const retry = retryInMs > 0 ? `, again in ${durationText(retryInMs + 999)}` : '';
  return { text: `${text}${since}${ofBreaker}${retry}`, mood };
}

const failures = {
  dial: 'could not be reached',
  lost: 'a connection was lost',
  silent: 'silent for too long',
  faulty: 'answers were faulty',
};
const recentMs = 300_000;

/** What went wrong with an upstream, unless it is up again and that was long ago. */
export function failureText({ lastFailure, state }: UpstreamReport): string {
  if (lastFailure === null || (state === 'up' && lastFailure.agoMs > recentMs)) return '';
  const { kind, detail, agoMs } = lastFailure;
  return `${detail === '' ? failures[kind] : detail}, ${durationText(agoMs)} ago`;
}

/** What operators do to a pool here. */
export type PoolAction = 'pause' | 'resume' | 'reconnect';

/** What is asked before an action is done: what will happen. */
export function questionOf(action: PoolAction, pool: PoolReport): Question {
  const consequences = {
    pause: pauseConsequences,
    resume: resumeConsequences,
    reconnect: reconnectConsequences,
  };
  const title = { pause: 'Pause', resume: 'Resume', reconnect: 'Reconnect' }[action];
  return { title: `${title} the pool ${pool.name}?`, points: consequences[action](pool), verb: title };
}

function pauseConsequences({ mode, clients, inFlight }: PoolReport): readonly string[] {
  const until = 'Until you resume it, nothing new is sent to its upstreams, and nothing is dialled.';
  if (mode === 'session') {
    return [
      until,
      `The sessions of ${plural(clients, 'client')} go on.`,
      'Clients that come wait for their seat, up to listen.handshakeTimeoutMs; then they get 503.',
    ];
  }
  const stay = `${plural(clients, 'client')} ${clients === 1 ? 'stays' : 'stay'} connected. ${plural(inFlight, 'answer')} under way still ${inFlight === 1 ? 'arrives' : 'arrive'}.`;
  return mode === 'mux'
    ? [
        until,
        stay,
        'What clients say is held, up to listen.maxBackpressureBytes each.',
        'Clients that come wait for their seat, up to listen.handshakeTimeoutMs; then they get 503.',
      ]
    : [
        until,
        stay,
        'Their requests wait in the queue: beyond its size they get error -32003, and after requestTimeoutMs error -32001.',
      ];
}

function resumeConsequences({ waiting }: PoolReport): readonly string[] {
  return [
    waiting === 0 ? 'Nothing waits now.' : `${countText(waiting)} that wait now are sent, in their order.`,
    'Connections that are missing are dialled at once, and what had failed before is forgotten.',
  ];
}

function reconnectConsequences({ mode, paused, connections }: PoolReport): readonly string[] {
  const { idle, busy } = connections;
  if (paused && mode !== 'session')
    return ['Its upstream connections are closed. New ones are dialled when it is resumed.'];
  if (mode === 'session') {
    return [
      `${plural(idle, 'connection')} waiting for a client ${idle === 1 ? 'is replaced by a new one' : 'are replaced by new ones'}.`,
      'Sessions that exist keep theirs. No client is disconnected.',
    ];
  }
  return [
    idle + busy === 1
      ? 'Its upstream connection is replaced by a new one.'
      : `All ${plural(idle + busy, 'upstream connection')} are replaced by new ones.`,
    'A new one is there before an old one takes nothing more; an old one is closed when it is empty.',
    'No client is disconnected.',
  ];
}
