// Gibbs sampling and learning over a graph of Booleans as DimmWitted does it by its published description (Zhang and Ré 2014; the README of
// HazyResearch/sampler): a column store of variables, factors and edges. A visit of a variable computes the potential of every factor that it is in, for both of
// its states, each time by going through the factor's variables. Learning visits variables likewise, draws each in an assignment that holds the evidence and
// in a free one, and then takes a step on the weights of its factors. One thread, doubles, numbers of 64 bits, big-endian files without headers.
//
// Driven by lines: bench/peer.mjs. `run {"sweeps": n, "tallies": file}` samples, and writes by variable how often it was true; `run {"learn": n, "step": s,
// "decay": d, "weights": file}` learns for n sweeps, the step of sweep t being s d^t, and writes the weights. "anew": 1 first makes the graph from the files' columns
// again, which the seconds include; the problem must have said "keep": 1 then.
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace {

using Number = std::uint64_t;

/** Those that the benchmarks have. */
enum Function : std::uint16_t { EQUAL = 3, IS_TRUE = 4, RATIO = 8 };

/** A setting of a line of JSON. */
std::string text(const std::string& json, const std::string& key) {
  const auto at = json.find('"' + key + "\":\"");
  if (at == std::string::npos) return "";
  const auto from = at + key.size() + 4;
  return json.substr(from, json.find('"', from) - from);
}

double number(const std::string& json, const std::string& key, double otherwise) {
  const auto at = json.find('"' + key + "\":");
  return at == std::string::npos ? otherwise : std::strtod(json.c_str() + at + key.size() + 3, nullptr);
}

/** A file, read from front to back. */
class Input {
 public:
  explicit Input(const std::string& name) : file(std::fopen(name.c_str(), "rb")) {
    if (!file) {
      std::fprintf(stderr, "dimmwitted.cpp: %s cannot be opened\n", name.c_str());
      std::exit(1);
    }
  }
  ~Input() { std::fclose(file); }
  Number whole(int bytes) {
    unsigned char read[8];
    if (std::fread(read, 1, bytes, file) != static_cast<size_t>(bytes)) {
      std::fprintf(stderr, "dimmwitted.cpp: a file ends too early\n");
      std::exit(1);
    }
    Number value = 0;
    for (int i = 0; i < bytes; i++) value = value << 8 | read[i];
    return value;
  }
  double real() {
    const Number bits = whole(8);
    double value;
    std::memcpy(&value, &bits, 8);
    return value;
  }

 private:
  std::FILE* file;
};

double resident() {
  std::ifstream status("/proc/self/statm");
  double all = 0, pages = 0;
  status >> all >> pages;
  return pages * 4096;
}

struct Variable {
  Number id, state, firstFactor, factorCount;
  bool evidence;
};

struct Edge {
  Number variable, equalTo;
};

struct Factor {
  Number firstEdge, edgeCount, weight;
  double feature;
  Function function;
};

struct Weight {
  double value;
  bool fixed;
};

/** xorshift64*. */
struct Random {
  Number state = 0x9e3779b97f4a7c15;
  double uniform() {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (state * 0x2545f4914f6cdd1d >> 11) * 0x1p-53;
  }
};

/** A graph as its files have it. */
struct Columns {
  std::vector<Variable> variables;
  std::vector<Weight> weights;
  std::vector<Factor> factors;
  std::vector<Edge> edges;

  explicit Columns(const std::string& folder) {
    std::ifstream meta(folder + "/graph.meta");
    Number counts[4];
    char comma;
    for (auto& count : counts) {
      meta >> count;
      meta >> comma;
    }
    Input weightFile(folder + "/graph.weights"), variableFile(folder + "/graph.variables"), factorFile(folder + "/graph.factors");
    weights.resize(counts[0]);
    for (auto& weight : weights) {
      weightFile.whole(8);
      weight.fixed = weightFile.whole(1);
      weight.value = weightFile.real();
    }
    variables.resize(counts[1]);
    for (auto& variable : variables) {
      variable.id = variableFile.whole(8);
      variable.evidence = variableFile.whole(1) > 0;
      variable.state = variableFile.whole(8);
      variableFile.whole(2);
      variableFile.whole(8);
    }
    factors.resize(counts[2]);
    edges.reserve(counts[3]);
    for (Factor& factor : factors) {
      factor.function = static_cast<Function>(factorFile.whole(2));
      factor.edgeCount = factorFile.whole(8);
      factor.firstEdge = edges.size();
      for (Number i = 0; i < factor.edgeCount; i++) {
        const Number variable = factorFile.whole(8);
        edges.push_back({variable, factorFile.whole(8)});
        variables[variable].factorCount++;
      }
      factor.weight = factorFile.whole(8);
      factor.feature = factorFile.real();
    }
  }
};

class Graph {
 public:
  std::vector<Variable> variables;
  std::vector<Weight> weights;
  /** By variable, one after another, copies of the factors that it is in, and of their edges: a visit reads them in a row. */
  std::vector<Factor> adjacent;
  std::vector<Edge> edges;
  std::vector<Number> free, clamped, tallies;
  Random random;

  explicit Graph(const Columns& columns) : variables(columns.variables), weights(columns.weights) {
    Number next = 0;
    for (auto& variable : variables) {
      variable.firstFactor = next;
      next += variable.factorCount;
      variable.factorCount = 0;
      free.push_back(variable.state);
    }
    clamped = free;
    tallies.resize(variables.size());
    adjacent.resize(next);
    Number copies = 0;
    for (const Factor& factor : columns.factors) {
      copies += factor.edgeCount * factor.edgeCount;
      for (Number i = 0; i < factor.edgeCount; i++) {
        Variable& variable = variables[columns.edges[factor.firstEdge + i].variable];
        adjacent[variable.firstFactor + variable.factorCount++] = factor;
      }
    }
    edges.reserve(copies);
    for (Factor& factor : adjacent) {
      const auto from = columns.edges.begin() + factor.firstEdge;
      factor.firstEdge = edges.size();
      edges.insert(edges.end(), from, from + factor.edgeCount);
    }
  }

  /** The factor's value where `variable` has `proposal` and all others what the assignment says. */
  double valueOf(const Factor& factor, const std::vector<Number>& assignment, Number variable, Number proposal) const {
    const Edge* edge = &edges[factor.firstEdge];
    const Number last = factor.edgeCount - 1;
    const auto holds = [&](Number i) {
      const Edge& one = edge[i];
      return (one.variable == variable ? proposal : assignment[one.variable]) == one.equalTo;
    };
    switch (factor.function) {
      case IS_TRUE:
        return holds(0) ? 1 : -1;
      case EQUAL: {
        const bool first = holds(0);
        for (Number i = 1; i <= last; i++)
          if (holds(i) != first) return -1;
        return 1;
      }
      case RATIO: {
        const bool head = holds(last);
        double votes = 0;
        for (Number i = 0; i < last; i++)
          if (head || !holds(i)) votes++;
        return std::log2(1 + votes);
      }
    }
    std::fprintf(stderr, "dimmwitted.cpp: a factor has the function %d, which is not among those here\n", factor.function);
    std::exit(1);
  }

  double potential(const Variable& variable, const std::vector<Number>& assignment, Number proposal) const {
    double sum = 0;
    const Factor* factor = &adjacent[variable.firstFactor];
    for (Number i = 0; i < variable.factorCount; i++, factor++)
      sum += weights[factor->weight].value * factor->feature * valueOf(*factor, assignment, variable.id, proposal);
    return sum;
  }

  Number draw(const Variable& variable, const std::vector<Number>& assignment) {
    const double off = potential(variable, assignment, 0);
    const double on = potential(variable, assignment, 1);
    return random.uniform() * (1 + std::exp(off - on)) < 1;
  }

  void sample(Number sweeps) {
    for (Number k = 0; k < sweeps; k++)
      for (const auto& variable : variables) {
        if (!variable.evidence) clamped[variable.id] = draw(variable, clamped);
        tallies[variable.id] += clamped[variable.id];
      }
  }

  void learn(Number sweeps, double step, double decay) {
    for (Number k = 0; k < sweeps; k++, step *= decay)
      for (const auto& variable : variables) {
        if (!variable.evidence) clamped[variable.id] = draw(variable, clamped);
        free[variable.id] = draw(variable, free);
        const Factor* factor = &adjacent[variable.firstFactor];
        for (Number i = 0; i < variable.factorCount; i++, factor++) {
          Weight& weight = weights[factor->weight];
          if (weight.fixed) continue;
          const double seen = valueOf(*factor, clamped, variable.id, clamped[variable.id]);
          const double drawn = valueOf(*factor, free, variable.id, free[variable.id]);
          weight.value += step * factor->feature * (seen - drawn);
        }
      }
  }
};

}  // namespace

int main(int count, char** arguments) {
  const std::string problem = count > 1 ? arguments[1] : "";
  auto columns = std::make_unique<Columns>(text(problem, "folder"));
  const double edges = static_cast<double>(columns->edges.size());
  const double before = resident();
  auto graph = std::make_unique<Graph>(*columns);
  const double bytes = (resident() - before) / edges;
  if (number(problem, "keep", 0) == 0) columns.reset();
  std::cout << "{\"version\": \"C++ after DimmWitted's description\", \"bytesAnEdge\": " << bytes << "}" << std::endl;
  std::cout.precision(17);
  for (std::string line; std::getline(std::cin, line);) {
    const auto start = std::chrono::steady_clock::now();
    if (number(line, "anew", 0) > 0) {
      const Random random = graph->random;
      graph = std::make_unique<Graph>(*columns);
      graph->random = random;
    }
    graph->sample(static_cast<Number>(number(line, "sweeps", 0)));
    graph->learn(static_cast<Number>(number(line, "learn", 0)), number(line, "step", 0), number(line, "decay", 1));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    if (const std::string name = text(line, "weights"); !name.empty()) {
      std::ofstream file(name, std::ios::binary);
      for (const Weight& weight : graph->weights) file.write(reinterpret_cast<const char*>(&weight.value), 8);
    }
    if (const std::string name = text(line, "tallies"); !name.empty()) {
      std::ofstream file(name, std::ios::binary);
      for (const Number tally : graph->tallies) {
        const double value = static_cast<double>(tally);
        file.write(reinterpret_cast<const char*>(&value), 8);
      }
    }
    std::cout << "{\"seconds\": " << took.count() << "}" << std::endl;
  }
  return 0;
}
