-- What wrk asks: charges, each of an order of its own, or one status again and again.
-- Arguments: "charge" and a prefix for the orders, or "status" and the order.

local threads = 0

function setup(thread)
   thread:set("number", threads)
   threads = threads + 1
end

function init(arguments)
   kind, name = arguments[1], arguments[2]
   count = 0
end

function request()
   if kind == "status" then
      return wrk.format("GET", "/status/" .. name)
   end
   count = count + 1
   local order = name .. "-" .. number .. "-" .. count
   local body = '{"order_id":"' .. order .. '","amount":150000,'
      .. '"customer_details":{"first_name":"Budi","last_name":"Santoso","email":"budi@example.com","phone":"08123456789"},'
      .. '"item_details":[{"id":"VPS-01","price":150000,"quantity":1,"name":"Cloud VPS Basic"}]}'
   return wrk.format("POST", wrk.path, nil, body)
end

function done(summary, latency, requests)
   local errors = summary.errors
   io.write(string.format(
      'figures {"requests": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "refused": %d, "broken": %d}\n',
      summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
      errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
