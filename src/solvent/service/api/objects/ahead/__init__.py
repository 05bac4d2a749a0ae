"""Objects for whoever watches over the market: what is near, and what was before."""
