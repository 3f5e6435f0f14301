-- What one writes instead of a program: the token lies in a dictionary that all
-- workers share, is fetched when it is not there, and dropped upon a 401.
local function fetch()
	local sock = ngx.socket.tcp()
	sock:settimeout(10000)
	if not sock:connect("{{.TokenHost}}", {{.TokenPort}}) then return nil end
	local form = "grant_type=client_credentials"
	sock:send("POST {{.TokenPath}} HTTP/1.0\r\nHost: {{.TokenHost}}:{{.TokenPort}}\r\n"
		.. "Authorization: Basic " .. ngx.encode_base64("id:secret") .. "\r\n"
		.. "Content-Type: application/x-www-form-urlencoded\r\n"
		.. "Content-Length: " .. #form .. "\r\n\r\n" .. form)
	local answer = sock:receive("*a")
	sock:close()
	if not answer or not answer:match("^HTTP/1%.%d 200") then return nil end
	local token = answer:match('"access_token"%s*:%s*"([^"]+)"')
	local lifetime = tonumber(answer:match('"expires_in"%s*:%s*(%d+)') or 3600)
	return token, lifetime * 0.9
end

local tokens = ngx.shared.tokens
local token = tokens:get("token")
if not token then
	local lifetime
	token, lifetime = fetch()
	if not token then return ngx.exit(503) end
	tokens:set("token", token, lifetime)
end
ngx.req.set_header("Authorization", "Bearer " .. token)
