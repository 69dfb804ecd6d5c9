"""Scene pack: bolts, nuts, washers, wrenches, spoons, mugs, bottles and toy bricks, dropped into bins and on tables."""
