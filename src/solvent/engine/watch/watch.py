"""The margin watch in kernels: finds accounts at MMR >= 100 % without asking all of them.

Between two watches an account's health gets worse only if it has less or owes more, and then it is
dirty, or if a mark, an index, a staleness or a parameter does, and then the watch sees that.
Healthy accounts carry a certificate (`certificates`) for moves of marks and indices, folded into
the triggers of their block and of its superblock. A watch asks the dirty accounts that hold what
changed and all members of blocks whose triggers are passed; who is certified anew is folded again,
who is liquidatable or too near to it to be certified stays dirty.

So at the end of every watch each account that owes something is dirty, or every trigger of its
block holds at the prices of now, and then it is healthy. What the blocks are decides how many
accounts are asked, never which are found.
"""

from solvent.domain.parameters import USDC
from solvent.domain.units import INT64_MAX
from solvent.engine.allot.sorting import sort_ascending
from solvent.engine.ledger import account_row, asset_row, is_stale, mark_of, pool_row
from solvent.engine.margin import Doubt, first_asset, health_of, is_liquidatable
from solvent.engine.memory.store import Store
from solvent.engine.watch.ahead import bring_block_after, bring_first, bring_member_after
from solvent.engine.watch.blocks import (
    clear_triggers,
    empty_blocks,
    fire,
    fire_passed,
    tighten_high,
    tighten_low,
)
from solvent.engine.watch.certificates import (
    Certificate,
    certify,
    certify_at_a_glance,
    debt_price,
    highest_debt_price,
    lowest_mark,
    measure_errors,
    nothing_certain,
    of_both,
    of_nobody,
)
from solvent.engine.watch.rows import (
    ALWAYS,
    BLOCK,
    clean,
    dirty_row,
    fired_blocks,
    fired_flags,
    heat,
    lay_out,
    screen_rows,
    seen_row,
    slots_of,
)
from solvent.engine.watch.scan import prepare_asset
from solvent.kernels.language import allocate, bit, kernel, leading_zeros, release
from solvent.kernels.rows import Memory

_NEAR = 1_000_000
"""Certificates for smaller moves, in 10^-9, are not worth a place in a block."""
_FOUND = -1
_WEAR = 16
"""How often each member is asked, on average, before the blocks are made anew."""
_KEY_STEP = 2**32
_ASSET_STEP = 64
_QUARTERS = 4


@kernel
def candidates(s: Store, out: Memory) -> int:
    """Write the accounts that reached MMR 100 % and are not marked, in order; return how many."""
    if s.watch.built == 0 or _is_worn(s):
        _build(s)
    else:
        _look(s)
    count = _ask_dirty(s, out)
    count = _ask_fired(s, out, count)
    sort_ascending(s, out, count)
    return count


@kernel
def _is_worn(s: Store) -> bool:
    """Whether slots ran out, or so many were asked that sorting them anew pays."""
    if s.watch.slot_count == s.watch.slot_capacity:
        return True
    return s.watch.asked > _WEAR * (s.watch.members + BLOCK)


# What changed.


@kernel
def _look(s: Store) -> None:
    """See what changed since the watch before, and fire the blocks whose triggers that passes."""
    all_doubted = s.watch.seen_doubt != s.rules.stale_doubt
    s.watch.seen_doubt = s.rules.stale_doubt
    changed = 0
    measured = False
    for asset in range(s.globals.assets):
        parameters = _parameters_changed(s, asset)
        measured = measured or parameters
        broken = parameters or all_doubted or _broke(s, asset)
        if broken or _moved(s, asset):
            changed = changed | bit(asset)
            _see(s, asset)
            # No trigger of a holder withstands these two.
            low = 0 if broken else mark_of(s, asset)
            high = INT64_MAX if broken else debt_price(s, asset)
            fire_passed(s, asset, low, high)
    s.watch.changed = changed
    if measured:
        measure_errors(s)


@kernel
def _parameters_changed(s: Store, asset: int) -> bool:
    """Whether the asset's haircut or margin functions are others than before."""
    seen = seen_row(s, asset)
    row = asset_row(s, asset)
    same_haircut = (
        seen.weight == row.weight
        and seen.haircut_kind == row.haircut_kind
        and seen.haircut_base == row.haircut_base
        and seen.haircut_penalty == row.haircut_penalty
        and seen.size_by == row.size_by
    )
    same_margin = (
        seen.initial_base == row.initial_base
        and seen.initial_factor == row.initial_factor
        and seen.maintenance_base == row.maintenance_base
        and seen.maintenance_factor == row.maintenance_factor
    )
    return not (same_haircut and same_margin)


@kernel
def _broke(s: Store, asset: int) -> bool:
    """Whether something changed that no certificate covers: staleness, or an index that fell."""
    seen = seen_row(s, asset)
    pool = pool_row(s, asset)
    if (seen.stale != 0) != is_stale(s, asset):
        return True
    return pool.lend_index < seen.lend_index or pool.debt_index < seen.debt_index


@kernel
def _moved(s: Store, asset: int) -> bool:
    """Whether the asset's mark or an index of its pool is another than before."""
    seen = seen_row(s, asset)
    pool = pool_row(s, asset)
    if mark_of(s, asset) != seen.mark:
        return True
    return pool.lend_index != seen.lend_index or pool.debt_index != seen.debt_index


@kernel
def _see(s: Store, asset: int) -> None:
    """Note what `asset` is now."""
    seen = seen_row(s, asset)
    pool = pool_row(s, asset)
    row = asset_row(s, asset)
    seen.mark = mark_of(s, asset)
    seen.stale = 1 if is_stale(s, asset) else 0
    seen.lend_index = pool.lend_index
    seen.debt_index = pool.debt_index
    seen.weight = row.weight
    seen.haircut_kind = row.haircut_kind
    seen.haircut_base = row.haircut_base
    seen.haircut_penalty = row.haircut_penalty
    seen.size_by = row.size_by
    seen.initial_base = row.initial_base
    seen.initial_factor = row.initial_factor
    seen.maintenance_base = row.maintenance_base
    seen.maintenance_factor = row.maintenance_factor
    prepare_asset(s, screen_rows(s)[asset], asset)


# Asking.


@kernel
def _ask_dirty(s: Store, out: Memory) -> int:
    """Ask the dirty accounts that hold what changed; from the last on, for cleaning moves it."""
    count = 0
    for place in range(s.watch.dirty_count - 1, -1, -1):
        row = dirty_row(s, place)
        account = row.account
        holder = account_row(s, account)
        if holder.debts == 0 or holder.is_liquidating:
            clean(s, account)
        elif row.mask == ALWAYS or row.mask & s.watch.changed:
            answer = _ask(s, account)
            if answer.fall == _FOUND:
                out[count] = account
                count += 1
            elif answer.fall > 0 and _has_slot(s, account):
                clean(s, account)
                _tighten(s, (holder.slot - 1) // BLOCK, answer)
    return count


@kernel
def _ask_fired(s: Store, out: Memory, count: int) -> int:
    """Ask the members of all fired blocks and give these their triggers anew."""
    fired = s.watch.fired_count
    bring_first(s)
    for place in range(fired):
        bring_block_after(s, place)
        block = fired_blocks(s)[place]
        fired_flags(s)[block] = 0
        clear_triggers(s, block)
        members = slots_of(s).at(block * BLOCK)
        together = of_nobody()
        for member in range(BLOCK):
            bring_member_after(s, place * BLOCK + member)
            if _is_clean(s, members[member]):
                account = members[member] - 1
                answer = _ask(s, account)
                if answer.fall == _FOUND:
                    out[count] = account
                    count += 1
                elif answer.fall > 0:
                    together = of_both(together, answer)
        _tighten(s, block, together)
    s.watch.fired_count = 0
    return count


@kernel
def _is_clean(s: Store, member: int) -> bool:
    """Whether what is in a slot is an account that owes, is not marked and relies on its block."""
    if member == 0:
        return False
    holder = account_row(s, member - 1)
    return holder.dirty_place == 0 and holder.debts != 0 and not holder.is_liquidating


@kernel
def _ask(s: Store, account: int) -> Certificate:
    """The certificate of an account that owes something and is not marked.

    Nothing, when it is to stay dirty for being near; a fall of _FOUND, when it is liquidatable.
    """
    s.watch.asked += 1
    certificate = certify_at_a_glance(s, account)
    if _is_lasting(certificate):
        return certificate
    values = health_of(s, account, Doubt.FOR_ACCOUNT)
    if is_liquidatable(values):
        heat(s, account, ALWAYS)
        return Certificate(_FOUND, 0, 0, 0, 0)
    certificate = certify(s, account, values)
    if _is_lasting(certificate):
        return certificate
    heat(s, account, account_row(s, account).held)
    return nothing_certain()


@kernel
def _is_lasting(certificate: Certificate) -> bool:
    return certificate.fall >= _NEAR and certificate.interest > 0


@kernel
def _tighten(s: Store, block: int, certificate: Certificate) -> None:
    """Let a block fire when a price moves further than is certified at the latest."""
    rest = certificate.holds
    while rest:
        asset = first_asset(rest)
        rest = rest ^ bit(asset)
        tighten_low(s, block, asset, lowest_mark(s, asset, certificate.fall))
    rest = certificate.owes
    while rest:
        asset = first_asset(rest)
        rest = rest ^ bit(asset)
        rise = certificate.interest if asset == USDC else certificate.rise
        tighten_high(s, block, asset, highest_debt_price(s, asset, rise))


@kernel
def _has_slot(s: Store, account: int) -> bool:
    """Give the account a slot if it has none; whether it has one now."""
    holder = account_row(s, account)
    if holder.slot == 0 and s.watch.slot_count < s.watch.slot_capacity:
        slots_of(s)[s.watch.slot_count] = account + 1
        s.watch.slot_count += 1
        holder.slot = s.watch.slot_count
    return holder.slot != 0


# Building.


@kernel
def _build(s: Store) -> None:
    """Give a slot to every account that owes something, alike ones together; fire all blocks."""
    lay_out(s.watch, s.globals.account_capacity, s.globals.assets)
    s.watch.built = 1
    s.watch.dirty_count = 0
    s.watch.changed = ALWAYS
    s.watch.seen_doubt = s.rules.stale_doubt
    measure_errors(s)
    for asset in range(s.globals.assets):
        _see(s, asset)
    for account in range(s.globals.accounts):
        account_row(s, account).dirty_place = 0
        account_row(s, account).slot = 0
    for slot in range(s.watch.slot_capacity):
        slots_of(s)[slot] = 0
    _fill_slots(s)
    empty_blocks(s)
    for block in range((s.watch.slot_count + BLOCK - 1) // BLOCK):
        fire(s, block)
    s.watch.asked = 0
    s.watch.members = s.watch.slot_count


@kernel
def _fill_slots(s: Store) -> None:
    """Slots in order of how far prices may move, then of the asset owed and the one held."""
    keys = allocate(s.globals.accounts)
    count = 0
    for account in range(s.globals.accounts):
        holder = account_row(s, account)
        if holder.debts and not holder.is_liquidating:
            keys[count] = _key(s, account) * _KEY_STEP + account
            count += 1
    sort_ascending(s, keys, count)
    for place in range(count):
        account = keys[place] % _KEY_STEP
        slots_of(s)[place] = account + 1
        account_row(s, account).slot = place + 1
    s.watch.slot_count = count
    release(keys)


@kernel
def _key(s: Store, account: int) -> int:
    """What accounts are sorted by: quarters of octaves of the certified fall, and two assets."""
    holder = account_row(s, account)
    fall = certify_at_a_glance(s, account).fall
    if fall < _NEAR:
        fall = certify(s, account, health_of(s, account, Doubt.FOR_ACCOUNT)).fall
    size = 0
    if fall > _QUARTERS:
        octave = leading_zeros(fall)
        size = (64 - octave) * _QUARTERS + fall // bit(61 - octave) % _QUARTERS
    debt = first_asset(holder.debts)
    held = holder.held & ~holder.debts
    return (size * _ASSET_STEP + debt) * _ASSET_STEP + (first_asset(held) if held else 0)
