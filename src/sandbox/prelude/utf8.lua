-- The utf8 library of plugins. Every native function is linear in its input, and Lua's stack bounds what it returns.

return function(raw, _)
  local native = raw.utf8
  return {
    char = native.char,
    charpattern = native.charpattern,
    codepoint = native.codepoint,
    codes = native.codes,
    len = native.len,
    offset = native.offset,
  }
end
