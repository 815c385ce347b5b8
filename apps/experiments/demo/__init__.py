"""What `slipway seed_demo` tells: three teams at work, with runs whose curves could be true. Same seed, same story."""
