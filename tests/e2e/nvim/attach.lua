-- A person at Neovim, without plug-ins: everything goes through Neovim's own client, from 0.7 on.
--   SERVER_CMD='["devloop","lsp"]' PLAN=.devloop/plan.md FIX=... RUN=... ANSWER=... \
--     nvim --headless -u NONE -i NONE -n -c "luafile attach.lua"
-- Optional steps, in this order:
--   FIX=<pattern>     apply the code action of that title on the first diagnostic's line, and save
--   RUN=<pattern>     run the code lens of that title on the line of TASK (default 1.1)
--   ANSWER=<title>    the choice at the question that follows; then wait for the ticked box of TASK
--   SETTINGS=<file>   a Lua file that attaches the server (as in the README) instead of the 0.7 API
--   TIMEOUT=<ms>      default 20000
-- Prints one line per step, and `1 passed, 0 failed` (exit status 0) or `FAIL ...` (1).
local env = function(name, default)
  local value = os.getenv(name)
  if value == nil or value == "" then return default end
  return value
end
local timeout = tonumber(env("TIMEOUT", "20000"))
local out = function(...) io.stdout:write("\n", string.format(...), "\n") end -- Neovim writes there too
local fail = function(message)
  out("FAIL %s", message)
  out("0 passed, 1 failed")
  vim.cmd("cquit 1")
end
local wait = function(what, condition)
  if not vim.wait(timeout, condition, 20) then fail("timeout: " .. what) end
end
local task = env("TASK", "1.1")

-- What a person would choose. Neovim's own code asks by one of these two.
local wanted, asked = nil, {}
local choose = function(prompt, titles)
  table.insert(asked, { prompt = prompt, titles = titles })
  for index, title in ipairs(titles) do
    if wanted and (title == wanted or title:find(wanted)) then return index end
  end
  fail(string.format("nothing like %s in [%s]", tostring(wanted), table.concat(titles, ", ")))
end
vim.ui.select = function(items, options, on_choice)
  local titles = vim.tbl_map(options.format_item or tostring, items)
  local index = choose(options.prompt or "", titles)
  on_choice(items[index], index)
end
vim.fn.inputlist = function(lines)
  local titles = {}
  for _, line in ipairs(lines) do
    local title = line:match("^%d+%. (.*)$")
    if title then table.insert(titles, title) end
  end
  return choose(lines[1], titles)
end

-- Progress, beside what Neovim does with it.
local progress = {}
local shown = vim.lsp.handlers["$/progress"]
vim.lsp.handlers["$/progress"] = function(err, params, context, config)
  table.insert(progress, params.value.kind)
  return shown(err, params, context, config)
end
local notified = {}
vim.notify = function(message) table.insert(notified, tostring(message)) end

vim.o.hidden = true
vim.cmd("edit " .. vim.fn.fnameescape(env("PLAN", ".devloop/plan.md")))
local bufnr = vim.api.nvim_get_current_buf()
local id
if env("SETTINGS") then
  vim.cmd("luafile " .. vim.fn.fnameescape(env("SETTINGS")))
  vim.cmd("setfiletype markdown")
else
  id = vim.lsp.start_client({
    name = "devloop",
    cmd = vim.fn.json_decode(env("SERVER_CMD", '["devloop","lsp"]')),
    root_dir = vim.fn.getcwd(),
  })
  if not id then fail("the server did not start") end
  vim.lsp.buf_attach_client(bufnr, id)
end
local clients = function()
  return vim.lsp.get_clients and vim.lsp.get_clients({ bufnr = bufnr }) or vim.lsp.buf_get_clients(bufnr)
end
local client
wait("the server is attached", function()
  for _, each in pairs(clients()) do
    if each.name == "devloop" and (each.initialized or each.server_capabilities) then client = each end
  end
  return client ~= nil
end)
out("ATTACHED %s", client.name)

local line_of_task = function()
  for number, line in ipairs(vim.api.nvim_buf_get_lines(bufnr, 0, -1, false)) do
    if line:find("Task " .. task .. ":", 1, true) then return number, line end
  end
  fail("task " .. task .. " is not in the buffer")
end

local diagnostics = function() return vim.diagnostic.get(bufnr) end
if env("FIX") then
  wait("diagnostics", function() return #diagnostics() > 0 end)
  for _, d in ipairs(diagnostics()) do out("DIAGNOSTIC %d:%d %s [%s]", d.lnum + 1, d.col, d.message, d.source or "-") end
  local first, before = diagnostics()[1], #diagnostics()
  vim.api.nvim_win_set_cursor(0, { first.lnum + 1, first.col })
  wanted = env("FIX")
  vim.lsp.buf.code_action()
  wait("the diagnostic goes away", function() return #diagnostics() < before end)
  out("ACTIONS %s", table.concat(asked[#asked].titles, " | "))
  out("FIXED %s", vim.api.nvim_buf_get_lines(bufnr, first.lnum, first.lnum + 1, false)[1])
  vim.cmd("silent write")
end

if env("RUN") then
  vim.lsp.codelens.refresh()
  local lenses = function()
    local found, line, whole = {}, line_of_task(), true
    for _, lens in ipairs(vim.lsp.codelens.get(bufnr) or {}) do
      if lens.range.start.line == line - 1 then
        if lens.command then table.insert(found, lens.command.title) else whole = false end
      end
    end
    return whole and found or {}
  end
  wait("the lenses are there", function() return #lenses() > 0 end)
  out("LENSES %s", table.concat(lenses(), " | "))
  vim.api.nvim_win_set_cursor(0, { line_of_task(), 0 })
  wanted = env("RUN")
  local before = #asked
  vim.lsp.codelens.run()
  wait("the lens is chosen", function() return #asked > before end)
  wanted = env("ANSWER")
  wait("a checkpoint's question", function() return #asked > before + 1 end)
  out("ASKED %s [%s]", asked[#asked].prompt:gsub("\n", " / "), table.concat(asked[#asked].titles, ", "))
  wait("the box of the task is ticked in the buffer", function()
    local _, line = line_of_task()
    return line:find("[x]", 1, true) ~= nil
  end)
  local _, line = line_of_task()
  out("TICKED %s", line)
  wait("the end of the progress", function() return vim.tbl_contains(progress, "end") end)
  out("PROGRESS %s", table.concat(progress, " "))
end
for _, message in ipairs(notified) do out("NOTIFIED %s", message) end
client.stop(client)
out("1 passed, 0 failed")
vim.cmd("qall!")
