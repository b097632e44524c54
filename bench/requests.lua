-- requests.lua -- what wrk sends for bench/run.
--
-- For GET the headers come from wrk's command line.  BENCH_READERS names a
-- file for POST: a first line "api" or "form" and the path, a line of book
-- ids, then one reader a line: cookie, CSRF token, API token.  Each request
-- is for the next reader and, round by round, the next book, with a one-time
-- key that was never used before.

dofile(os.getenv("BENCH") .. "/report.lua")

local threads = 0

function setup(thread)
	thread:set("number", threads)
	threads = threads + 1
end

local file = os.getenv("BENCH_READERS")
local kind, path, books, readers = nil, nil, {}, {}

local function load()
	local lines = io.lines(file)

	kind, path = lines():match("(%S+) (%S+)")
	for id in lines():gmatch("%d+") do
		books[#books + 1] = id
	end
	for line in lines do
		local cookie, csrf, token = line:match("(%S+) (%S+) (%S+)")
		readers[#readers + 1] = { cookie = cookie, csrf = csrf,
		    token = token }
	end
end

local function by_api(reader, book, key)
	return wrk.format("POST", path, {
		["Authorization"] = "Bearer " .. reader.token,
		["Content-Type"] = "application/json",
		["Idempotency-Key"] = key,
	}, '{"book_id":' .. book .. ',"quantity":1}')
end

local function by_form(reader, book, key)
	return wrk.format("POST", path, {
		["Cookie"] = reader.cookie,
		["Content-Type"] = "application/x-www-form-urlencoded",
	}, "csrf=" .. reader.csrf .. "&once=" .. key .. "&book_id=" .. book ..
	    "&quantity=1")
end

local function next_request()
	local n = count * threads_in_all + number
	local reader = readers[n % #readers + 1]
	local book = books[math.floor(n / #readers) % #books + 1]
	local key = run_id .. "-" .. number .. "-" .. count

	count = count + 1
	return kind == "api" and by_api(reader, book, key) or
	    by_form(reader, book, key)
end

function init(args)
	if not file then
		return
	end
	load()
	count = 0
	run_id = args[1]
	threads_in_all = tonumber(args[2])
	request = next_request
end
