-- orders.lua -- what wrk sends for bench/shop.
--
-- BENCH_ORDERS names a file: a first line with the kind of requests, a second
-- with the books (id:price), then a reader a line: cookie, CSRF token, API
-- token.  With the kind "pay" each line is the number of an order and the
-- token of its reader, and who has paid all of them stops.  Each order has
-- LINES different books, and a one-time key that was never used before.

dofile(os.getenv("BENCH") .. "/report.lua")

local LINES = 3
local threads = 0

function setup(thread)
	thread:set("number", threads)
	threads = threads + 1
end

local address = { recipient = "Kim Seoga", phone = "010-1234-5678",
    postcode = "03925", address = "Seoul, Mapo-gu, World Cup-ro 12" }
local kind, books, lines = nil, {}, {}

local function load()
	local file = io.lines(os.getenv("BENCH_ORDERS"))

	kind = file()
	for id, price in file():gmatch("(%d+):(%d+)") do
		books[#books + 1] = { id = id, price = price }
	end
	for line in file do
		local words = {}

		for word in line:gmatch("%S+") do
			words[#words + 1] = word
		end
		lines[#lines + 1] = words
	end
end

-- The books of the n-th order, as a list of format(id, price).
local function basket(n, format, separator)
	local texts = {}

	for i = 0, math.min(LINES, #books) - 1 do
		local book = books[(n * LINES + i) % #books + 1]

		texts[#texts + 1] = format:format(book.id, book.price)
	end
	return table.concat(texts, separator)
end

local function by_api(n, reader, key)
	local text = {}

	for name, value in pairs(address) do
		text[#text + 1] = ('"%s":"%s"'):format(name, value)
	end
	return wrk.format("POST", "/api/orders", {
		["Authorization"] = "Bearer " .. reader[3],
		["Content-Type"] = "application/json",
		["Idempotency-Key"] = key,
	}, "{" .. table.concat(text, ",") .. ',"items":[' ..
	    basket(n, '{"book_id":%s,"quantity":1,"price":%s}', ",") .. "]}")
end

local function by_form(n, reader, key)
	local text = { "csrf=" .. reader[2], "once=" .. key,
	    "lines=" .. basket(n, "%s:1:%s", "+") }

	for name, value in pairs(address) do
		text[#text + 1] = name .. "=" .. value:gsub(" ", "+")
	end
	return wrk.format("POST", "/checkout", {
		["Cookie"] = reader[1],
		["Content-Type"] = "application/x-www-form-urlencoded",
	}, table.concat(text, "&"))
end

local function payment(n)
	local order = lines[n + 1]

	if not order then
		wrk.thread:stop()
		order = lines[#lines]
	end
	return wrk.format("POST", "/api/orders/" .. order[1] .. "/payment", {
		["Authorization"] = "Bearer " .. order[2],
		["Content-Type"] = "application/json",
	}, '{"card":"4242424242424242"}')
end

function init(args)
	load()
	count = 0
	run_id = args[1]
	threads_in_all = tonumber(args[2])
end

function request()
	local n = count * threads_in_all + number
	local key = run_id .. "-" .. number .. "-" .. count
	local reader = lines[n % #lines + 1]

	count = count + 1
	if kind == "pay" then
		return payment(n)
	end
	return (kind == "api" and by_api or by_form)(n, reader, key)
end
