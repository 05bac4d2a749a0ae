"""The service: the market as a durable process that speaks an existing exchange's public API.

http, streams      requests and subscriptions in, answers and messages out
signing, keys      who asks, and as what; buckets say how often
wire, strict_json  numbers and objects as the API writes them, one reading each
errors, limits     what a refusal is called, and every bound
node               connects them to the sequencer, the views and the clock
sequencer, market  the one writer, and all state that follows from the journal
"""
