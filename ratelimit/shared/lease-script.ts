import type { LimiterSettings } from '../limiter.ts';
import type { StrategyName } from '../strategies.ts';

/** What is asked of Redis for one key. */
export interface LeaseRequest {
  readonly strategy: StrategyName;
  readonly settings: LimiterSettings;
  /** How much is wanted; 0 to ask for nothing. */
  readonly want: number;
  /** Less than this is of no use; may be above all that the key can ever hold, then it passes when nothing is used. */
  readonly least: number;
  /** What was leased and not used, and is given back; less than 0 for what was used without a lease. */
  readonly returned: number;
  /** For how long the key is to be blocked from now on. 0 = not. */
  readonly blockMs: number;
}

/** What Redis grants. */
export interface LeaseAnswer {
  readonly granted: number;
  /** Milliseconds until `least` could be granted; 0 when something was. */
  readonly waitMs: number;
  /** The key is in the penalty box: nothing is granted to anybody. */
  readonly blocked: boolean;
}

/** The numbers that the script takes. */
export function leaseArguments({ strategy, settings, ...request }: LeaseRequest): number[] {
  const { ratePerSecond, burst, windowMs } = settings;
  const { want, least, returned, blockMs } = request;
  const isWindow = strategy === 'sliding-window' ? 1 : 0;
  return [isWindow, ratePerSecond, burst, windowMs, want, least, returned, blockMs];
}

/** The script's reply as an answer; throws when it is none. */
export function leaseAnswer(reply: unknown): LeaseAnswer {
  const [granted, waitMs, blocked] = Array.isArray(reply) ? (reply as unknown[]) : [];
  if (typeof granted !== 'number' || typeof waitMs !== 'number') throw new Error('bug: no answer of a lease');
  return { granted, waitMs, blocked: blocked === 1 };
}

/**
 * Grants from the allowance of KEYS[1] and takes back what is returned; the clock of Redis decides. What is used is kept in
 * millionths of a unit for buckets, which a rate of n per second drains by n each microsecond, and in units for windows. All
 * is rounded so that the sum of grants less returns never exceeds the burst and the rate times the time passed. A missing key
 * is one of which nothing is used, and an expired one had drained. Both buckets grant alike: they differ in how a message
 * waits for its turn, and shared limits let none wait. Needs Redis 5, whose scripts replicate what they did.
 */
export const leaseScript = `
local isWindow, rate, burst, windowUs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]) * 1000
local want, least, returned = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local blockUs = tonumber(ARGV[8]) * 1000
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

-- used: of the bucket, or in the window that began at 'at'; previous: in the window before it
local used, at, previous, blockedUntil = 0, now, 0, 0
local kind, a, b, c, d = string.match(redis.call('GET', KEYS[1]) or '', '^(%d) (%d+) (%d+) (%d+) (%d+)$')
if kind then blockedUntil = tonumber(d) end
if kind == isWindow then used, at, previous = tonumber(a), tonumber(b), tonumber(c) end

local granted, waitUs = 0, 0
local capacity = burst
-- To a millionth: 0.29 * 100 comes out a little below 29.
if isWindow == '1' then capacity = math.max(1, math.floor(rate * windowUs * 1.048576 + 0.5) / 1048576) end
local need = math.min(least, capacity)
local windowStart = now - now % windowUs

local function takeFromBucket()
  -- A clock that was set back counts as no time. What drains less than a thousandth of a unit is left for the next call.
  used = math.max(0, used - returned * 1000000)
  local drained = math.floor(math.max(0, now - at) * rate)
  if drained >= 1000 or drained >= used or now < at then
    used, at = math.max(0, used - drained), now
  end
  local room = capacity * 1000000 - used
  if want == 0 then return end
  if room >= need * 1000000 then
    granted = math.max(least, math.min(want, math.floor(room / 1000000)))
    used = used + granted * 1000000
  else
    waitUs = (need * 1000000 - room) / rate
  end
end

local function takeFromWindow()
  local passed = math.ceil((windowStart - at) / windowUs)
  if passed > 0 then
    -- What a cost above the capacity left over is paid off by the windows after it.
    local before = math.max(0, used - (passed - 1) * capacity)
    previous, used = math.ceil(math.min(before, capacity)), math.ceil(math.max(0, before - capacity))
  end
  at = windowStart
  local fraction = (now - windowStart) / windowUs
  local fromPrevious = math.max(0, returned - used)
  used, previous = math.max(0, used - returned), math.max(0, previous - fromPrevious)
  local room = capacity - used - previous * (1 - fraction)
  if want == 0 then return end
  if room >= need then
    granted = math.max(least, math.min(want, math.floor(room)))
    used = used + granted
  elseif used + need <= capacity then
    waitUs = (1 - (capacity - used - need) / previous - fraction) * windowUs
  else
    local windows = math.ceil((used + need) / capacity - 1)
    local later, before = math.max(0, used - windows * capacity), math.min(capacity, used - (windows - 1) * capacity)
    waitUs = (windows - fraction + math.max(0, 1 - (capacity - later - need) / before)) * windowUs
  end
end

if blockedUntil <= now then
  blockedUntil = 0
  if isWindow == '1' then takeFromWindow() else takeFromBucket() end
end
if blockUs > 0 then
  blockedUntil = math.max(blockedUntil, now + blockUs)
  -- Afterwards a bucket has room for one, unless it owes more, and a window is empty.
  if isWindow == '1' then
    used, at, previous = 0, windowStart, 0
  else
    used = math.max(0, (capacity - 1) * 1000000, used - (blockedUntil - at) * rate)
    at = blockedUntil
  end
end
if blockedUntil > 0 then waitUs = blockedUntil - now end

local lastsUs = math.max(0, blockedUntil - now)
if isWindow == '1' then
  lastsUs = lastsUs + (2 + used / capacity) * windowUs
else
  lastsUs = lastsUs + used / rate
end
local state = string.format('%s %.0f %.0f %.0f %.0f', isWindow, math.ceil(used), at, previous, blockedUntil)
redis.call('SET', KEYS[1], state, 'PX', string.format('%.0f', math.ceil(lastsUs / 1000) + 1000))
return { granted, math.ceil(waitUs / 1000), blockedUntil > 0 and 1 or 0 }
`;
