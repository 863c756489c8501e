"""How oscillators fall into step: order parameters, onset, locking, chimeras; and the theory beside."""
