"""Who bears ADL: shares, order, health, and what splitting an account would save."""
