"""Commands for whoever keeps a market: keys, copies, and a way past damage."""
