-- paths.lua -- what wrk sends for bench/cache: GET of each line of the file
-- BENCH_PATHS, in turn.

dofile(os.getenv("BENCH") .. "/report.lua")

local threads = 0

function setup(thread)
	thread:set("number", threads)
	threads = threads + 1
end

local requests = {}

-- Each thread begins elsewhere.
function init(args)
	for path in io.lines(os.getenv("BENCH_PATHS")) do
		requests[#requests + 1] = wrk.format("GET", path)
	end
	count = math.floor(#requests * number / tonumber(args[2]))
end

function request()
	count = count % #requests + 1
	return requests[count]
end
