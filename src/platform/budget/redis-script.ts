import { MAX_PAUSE_MS } from '../../domain/rates/index.js';

/**
 * What `domain/rates` does, where Redis does it in one step, by its own clock. A spec holds the two against each
 * other. The state of a key is JSON: `k` keepMs, `p` pausedUntilMs, `r` runs as first, last, count, first, …
 *
 * KEYS[1] the budget; ARGV 1 `ask` or `pause`, 2 requests or milliseconds, 3 the window in milliseconds (0: no
 * limit), 4 the moment in milliseconds, or '' for the clock of Redis. Returns granted (1 or 0), waitMs, paused.
 */
export const BUDGET_SCRIPT = `
local now = tonumber(ARGV[4])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local text = redis.call('GET', KEYS[1])
local state = text and cjson.decode(text) or { k = 0, p = 0, r = {} }

local function save()
  local left = math.max(state.p - now, state.k) + 1000
  redis.call('SET', KEYS[1], cjson.encode(state), 'PX', left)
end

if ARGV[1] == 'pause' then
  local pause = math.min(math.max(math.ceil(tonumber(ARGV[2])), 0), ${MAX_PAUSE_MS})
  state.p = math.max(state.p, now + pause)
  save()
  return { 1, 0, 0 }
end

if state.p > now then return { 0, state.p - now, 1 } end
local window = tonumber(ARGV[3])
if window == 0 then return { 1, 0, 0 } end

local keep = math.max(state.k, window)
local runs = {}
local counted = 0
for i = 1, #state.r, 3 do
  if state.r[i + 1] + keep > now then
    local last = math.min(state.r[i + 1], now)
    runs[#runs + 1] = math.min(state.r[i], now)
    runs[#runs + 1] = last
    runs[#runs + 1] = state.r[i + 2]
    if last + window > now then counted = counted + state.r[i + 2] end
  end
end
if #runs == 0 then keep = window end
state.k = keep
state.r = runs

local over = counted - math.max(1, tonumber(ARGV[2])) + 1
if over > 0 then
  save()
  for i = 1, #runs, 3 do
    if runs[i + 1] + window > now then
      over = over - runs[i + 2]
      if over <= 0 then return { 0, runs[i + 1] + window - now, 0 } end
    end
  end
end

local n = #runs
if n > 0 and now - runs[n - 2] < math.floor(keep / 64) then
  runs[n - 1] = now
  runs[n] = runs[n] + 1
else
  runs[n + 1] = now
  runs[n + 2] = now
  runs[n + 3] = 1
end
save()
return { 1, 0, 0 }
`;
