#pragma once

// Reports with everything that a page may have to show.

#include <string>
#include <vector>

namespace lockstep::reports {

// As HTML. Names have 50 letters; among several runs are seeds of one design that stop early, a
// failed run whose losses are NaN, one that is interrupted and one that has not begun.
std::string imagined_page(int runs);

// A grid of up to eight settings of two values each, two seeds a combination; as many of it as runs
// are asked for.
std::string swept_page(int settings, int runs);

// Six settings, most of them of words and lists; names of a sweep that end with a hash; accuracies
// near chance, losses of thirteen digits, and failed runs.
std::string worded_page(int runs);

// Of `runs` finished runs, each with all that is kept of one: 200 epochs, ten classes, 25 test
// images that are all runs' and 25 mistakes of its own, which no compression makes smaller.
std::string full_page(int runs);

// A finished run for each text: wherever a run has words of anybody's, it has these. All of them
// are the report's title.
std::string page_of_texts(const std::vector<std::string>& texts);

}  // namespace lockstep::reports
