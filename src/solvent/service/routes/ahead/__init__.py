"""What would hold, what is proposed and what is proved: for whoever watches over the market."""
