"""Crash tests: the service is killed at random moments, again and again, and must lose nothing.

    script       what each client asks for, and what an account has after it
    signed       signs a request and sends it over a socket, as a client of the API does
    client       asks on and on, keeps what was answered, repeats what was not
    listener     follows the streams of a market, with a `stream_socket` of its own
    process      serves a market as `solvent up` does, until it is killed
    preload      what all of those processes share
    inspection   what a market says of its accounts, held against what was asked for
    cast         who plays in a market, and what all of them must have
    ending       the whole journal held against it, when a market has ended
    processes    starts, kills and questions the processes of one market
    rounds       markets one after another
    result       what was counted

The killed process is the real one: journal, writer, views and the HTTP server on a loopback socket.
Its clients live in another process and survive it. As clients do, each asks, waits for the answer
and asks the next; after a restart it repeats what was not answered, byte for byte, and orders also
signed anew with the same client id, and now and then what was answered long ago.

What a client has asked for says exactly what it must have, so that one effect lost or doubled shows
in the balances, the open orders or the histories after every restart, and in the journal at the
end.

Power cuts are not tried here: a killed process leaves to the system what it wrote, synced or
not. The journal's tests lose unsynced writes with a file layer of their own.
"""
