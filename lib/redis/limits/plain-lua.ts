/**
 * Groups of sliding windows with room for all, which nearly every check comes to; after `SLIDING_LUA`, with the counters of all groups read. Of a counter
 * that was hit in this turn, and in which nothing has lapsed since, only the newest word is needed; of others, and where there is no room, all.
 */
export const PLAIN_LUA = `
local left, rests, words, states, read = {}, {}, {}, {}, {}

-- Charges a group, and answers nothing, or else how many of its counters it has read, in 'read', or false for those that it has not.
local function decide_plain(group)
  local costs, n = group.costs, group.charges
  for i = 1, n do
    local rule, cost, value = group.rules[i], costs[i], values[asked + i]
    local known = false
    if not value then
      if cost > rule.most then return i - 1 end
      known, left[i], rests[i], words[i] = 'new', rule.most - cost, min(rule.rest, rule.longest), rule.word + cost
    elseif #value == SLIDING_BYTES then
      local head, since, others, lapse, word = unpack_value(KNOWN, value)
      local count, least = word % rule.unit, rule.word
      local room = rule.most - others - count - cost
      if head == rule.head and room >= 0 and since <= rule.since and (lapse > now or others == 0) then
        known = 'known'
        if word < least then word = least + count end
        local rest = others > 0 and lapse - now or word - count == least and rule.rest or rest_of_word(rule, word)
        left[i], rests[i], words[i] = room, rest < rule.longest and rest or rule.longest, word + cost
      end
    end
    read[i], states[i] = false, known
    if not known then
      local c = load_sliding(rule, value)
      read[i] = c
      if c[USED] + cost > rule.most then return i end
    end
  end
  for i = 1, n do
    local state = states[i]
    if state == 'known' then
      call('SETRANGE', keys[asked + i], WORD_AT, pack(WORD, words[i]))
    elseif state then
      local rule = group.rules[i]
      made = made + 1
      call('SET', keys[asked + i], pack(SLIDING, rule.head, 0, 0, 0, words[i], 0, 0, 0, 0, 0, 0), 'PX', expiry_in_turn(rule))
    else
      local rule, c = group.rules[i], read[i]
      add_sliding(c, rule, costs[i], rule.in_turn)
      save_sliding(keys[asked + i], c)
      left[i], rests[i] = rule.most - c[USED], reset_sliding(c)
    end
    answer[size + 1], answer[size + 2], size = left[i], rests[i], size + 2
  end
  asked = asked + n
end
`;
