// A network of slow links on one machine, to measure on what clusters have: hosts (network
// namespaces slow-0, slow-1, ... with the addresses 10.77.0.1, .2, ...), each with a link of its
// own to one switch.
//
//   slow_link [--hosts N] [--one-way-us D] [--gbit B] [--mtu M] [--loss PERCENT] [--cut FILE]
//             COMMAND...
//     makes it, runs COMMAND on slow-0, and takes it away when COMMAND ends
//     defaults: 2 hosts, 100 us, 1 Gbit/s, frames of 9,000 bytes as clusters have them, none lost
//     Of all frames that share is lost. Hosts whose numbers stand in FILE, from 0 and between
//     blanks, are cut off from the others, as long as they stand there.
//   slow_link --on ADDRESS COMMAND...
//     runs COMMAND on that host, as ssh does: what mpirun is to start its daemons by
//
// For example, as root, where B is build/benchmarks/slow_link:
//
//   B mpirun --mca plm_rsh_agent "B --on" -H 10.77.0.1,10.77.0.2 build/lockstep bench allreduce
//
// A link passes one frame after another at its rate, each way; a frame arrives the delay after its
// last bit was sent. Sender's and receiver's kernels come on top, as on a real network: ping tells.
// (tc's netem does the same where the kernel has it.)

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

constexpr int kMostHosts = 64;
// On the wire also: preamble, checksum, and the gap behind each frame.
constexpr std::size_t kWireBytes = 24;
constexpr std::size_t kEthernetHeader = 14;
// A host's own frames wait in its kernel, as before a real adapter, while its link has so much to
// send already.
constexpr nanoseconds kMostBacklog{500'000};
constexpr std::chrono::milliseconds kCutInterval{50};  // between two looks at its file

struct Setting {
    int hosts = 2;
    nanoseconds delay{100'000};  // one way
    double gigabits = 1.0;       // a second
    int mtu = 9000;
    double loss = 0.0;  // share of the frames
    std::string cut;    // file of the hosts that are cut off; empty: none
};

void require(bool is_true, const std::string& what) {
    if (!is_true) throw std::system_error(errno, std::generic_category(), what);
}

std::string name_of(int host) { return "slow-" + std::to_string(host); }

void run_ip(const std::string& arguments) {
    if (std::system(("ip " + arguments).c_str()) != 0)
        throw std::runtime_error("failed: ip " + arguments);
}

struct Frame {
    std::vector<char> bytes;
    Clock::time_point arrival;
};

class Namespace {
public:
    explicit Namespace(std::string name) : name_(std::move(name)) { run_ip("netns add " + name_); }
    ~Namespace() {
        if (std::system(("ip netns del " + name_).c_str()) != 0)
            std::fprintf(stderr, "left behind: network namespace %s\n", name_.c_str());
    }
    Namespace(const Namespace&) = delete;
    Namespace& operator=(const Namespace&) = delete;

    const std::string& name() const { return name_; }

private:
    std::string name_;
};

// One host with its link.
class Host {
public:
    Host(int number, const Setting& setting) : space_(name_of(number)) {
        const std::string& name = space_.name();
        device_ = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
        require(device_ >= 0, "/dev/net/tun");
        ifreq request{};
        std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
        request.ifr_flags = IFF_TAP | IFF_NO_PI;
        require(ioctl(device_, TUNSETIFF, &request) == 0, "TUNSETIFF");
        // The last byte of the address on the link is the host's number: the switch reads it.
        std::array<char, 18> mac{};
        std::snprintf(mac.data(), mac.size(), "02:00:00:00:00:%02x", static_cast<unsigned>(number));
        run_ip("link set " + name + " address " + mac.data() + " mtu " +
               std::to_string(setting.mtu) + " netns " + name);
        // Which every kernel has, and which fills a link that loses nothing; bbr leaves a tenth.
        run_ip("netns exec " + name + " sysctl -qw net.ipv4.tcp_congestion_control=reno");
        run_ip("-n " + name + " link set lo up");
        run_ip("-n " + name + " addr add 10.77.0." + std::to_string(number + 1) + "/24 dev " +
               name);
        run_ip("-n " + name + " link set " + name + " up");
    }
    ~Host() { close(device_); }
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    int device() const { return device_; }
    bool may_send(Clock::time_point now) const { return sends_until_ <= now + kMostBacklog; }
    std::optional<Clock::time_point> next_arrival() const {
        if (arriving_.empty()) return std::nullopt;
        return arriving_.front().arrival;
    }
    // When the last bit of a frame that is sent now is at the switch.
    Clock::time_point send(nanoseconds length, Clock::time_point now) {
        return sends_until_ = std::max(sends_until_, now) + length;
    }
    void expect(std::span<const char> frame, nanoseconds length, Clock::time_point at_switch,
                nanoseconds delay) {
        receives_until_ = std::max(receives_until_ + length, at_switch);
        arriving_.push_back({{frame.begin(), frame.end()}, receives_until_ + delay});
    }
    void deliver(Clock::time_point now) {
        for (; !arriving_.empty() && arriving_.front().arrival <= now; arriving_.pop_front()) {
            const std::vector<char>& bytes = arriving_.front().bytes;
            if (write(device_, bytes.data(), bytes.size()) < 0) continue;  // lost, as frames may be
        }
    }

private:
    Namespace space_;
    int device_ = -1;
    Clock::time_point sends_until_{}, receives_until_{};
    std::deque<Frame> arriving_;
};

// Which frames arrive.
class Weather {
public:
    explicit Weather(const Setting& setting) : loss_(setting.loss), file_(setting.cut) {}

    void look(Clock::time_point now) {
        if (file_.empty() || now < next_look_) return;
        next_look_ = now + kCutInterval;
        is_cut_.fill(false);
        std::ifstream file(file_);
        for (std::size_t host = 0; file >> host;)
            if (host < is_cut_.size()) is_cut_[host] = true;
    }
    bool lets_pass(std::size_t sender, std::size_t receiver) {
        if (is_cut_[sender] != is_cut_[receiver]) return false;
        return loss_ <= 0 || !std::bernoulli_distribution(loss_)(random_);
    }

private:
    double loss_;
    std::string file_;
    std::array<bool, kMostHosts> is_cut_{};
    Clock::time_point next_look_{};
    std::minstd_rand random_{1};
};

class Switch {
public:
    explicit Switch(const Setting& setting)
        : setting_(setting),
          weather_(setting),
          frame_(static_cast<std::size_t>(setting.mtu) + kEthernetHeader + kWireBytes) {
        for (int number = 0; number < setting.hosts; ++number) hosts_.emplace_back(number, setting);
    }

    // Until that process has ended.
    void run_until_ends(int process) {
        std::vector<pollfd> waits;
        for (const Host& host : hosts_) waits.push_back({host.device(), POLLIN, 0});
        waits.push_back({process, POLLIN, 0});
        while ((waits.back().revents & POLLIN) == 0) {
            const auto now = Clock::now();
            auto next = now + std::chrono::seconds(1);
            weather_.look(now);
            for (std::size_t i = 0; i < hosts_.size(); ++i) {
                Host& host = hosts_[i];
                host.deliver(now);
                while (host.may_send(now) && forward_from(i, now)) continue;
                waits[i].events = host.may_send(now) ? POLLIN : 0;
            }
            for (const Host& host : hosts_) {
                next = std::min(next, host.next_arrival().value_or(next));
                if (!host.may_send(now)) next = std::min(next, now + kMostBacklog / 2);
            }
            wait(waits, next);
        }
    }

private:
    bool forward_from(std::size_t sender, Clock::time_point now) {
        Host& host = hosts_[sender];
        const ssize_t size = read(host.device(), frame_.data(), frame_.size());
        if (size < static_cast<ssize_t>(kEthernetHeader)) return false;
        const std::span<const char> frame(frame_.data(), static_cast<std::size_t>(size));
        const double bits = 8.0 * static_cast<double>(frame.size() + kWireBytes);
        const nanoseconds length(static_cast<nanoseconds::rep>(bits / setting_.gigabits));
        const auto at_switch = host.send(length, now);
        const auto receiver = static_cast<unsigned char>(frame[5]);
        for (std::size_t i = 0; i < hosts_.size(); ++i) {
            const bool is_to_all = (frame[0] & 1) != 0;
            if (i != sender && (is_to_all || receiver == i) && weather_.lets_pass(sender, i))
                hosts_[i].expect(frame, length, at_switch, setting_.delay);
        }
        return true;
    }
    static void wait(std::vector<pollfd>& waits, Clock::time_point until) {
        const auto left = std::max(nanoseconds(0), nanoseconds(until - Clock::now()));
        const timespec time{.tv_sec = left.count() / 1'000'000'000,
                            .tv_nsec = left.count() % 1'000'000'000};
        for (pollfd& each : waits) each.revents = 0;
        if (ppoll(waits.data(), waits.size(), &time, nullptr) < 0 && errno != EINTR)
            require(false, "ppoll");
    }

    Setting setting_;
    Weather weather_;
    std::deque<Host> hosts_;
    std::vector<char> frame_;
};

// In place of this process.
[[noreturn]] void become(const std::string& host, char** command) {
    const int space = open(("/run/netns/" + host).c_str(), O_RDONLY | O_CLOEXEC);
    require(space >= 0 && setns(space, CLONE_NEWNET) == 0, "network namespace " + host);
    // Open MPI takes ranks for neighbours by the names of their hosts.
    require(unshare(CLONE_NEWUTS) == 0 && sethostname(host.data(), host.size()) == 0, "host name");
    execvp(command[0], command);
    require(false, command[0]);
    std::abort();
}

[[noreturn]] void run_on(const std::string& address, std::span<char*> words) {
    const int host = std::atoi(address.substr(address.rfind('.') + 1).c_str()) - 1;
    std::string line;
    for (const char* word : words) line += std::string(word) + ' ';
    std::array<char*, 4> shell{const_cast<char*>("sh"), const_cast<char*>("-c"), line.data()};
    become(name_of(host), shell.data());
}

int run(const Setting& setting, char** command) {
    Switch network(setting);
    const pid_t process = fork();
    require(process >= 0, "fork");
    if (process == 0) become(name_of(0), command);
    for (const int stop : {SIGINT, SIGTERM}) signal(stop, SIG_IGN);  // it ends when COMMAND does
    const auto handle = static_cast<int>(syscall(SYS_pidfd_open, process, 0));
    require(handle >= 0, "pidfd_open");
    prctl(PR_SET_TIMERSLACK, 1UL);
    const sched_param priority{.sched_priority = 50};  // a switch has a processor of its own
    if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0)
        std::perror("slow_link: delays may be longer: sched_setscheduler");
    network.run_until_ends(handle);
    close(handle);
    int status = 0;
    waitpid(process, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace

int main(int argc, char** argv) try {
    Setting setting;
    int next = 1;
    const auto is_option = [&](const char* name) {
        return next + 1 < argc && std::strcmp(argv[next], name) == 0;
    };
    for (;; next += 2) {
        if (is_option("--on"))
            run_on(argv[next + 1], std::span(argv, static_cast<std::size_t>(argc))
                                       .subspan(static_cast<std::size_t>(next) + 2));
        if (is_option("--hosts"))
            setting.hosts = std::clamp(std::atoi(argv[next + 1]), 1, kMostHosts);
        else if (is_option("--one-way-us"))
            setting.delay = nanoseconds(std::atoi(argv[next + 1]) * 1000);
        else if (is_option("--gbit"))
            setting.gigabits = std::atof(argv[next + 1]);
        else if (is_option("--mtu"))
            setting.mtu = std::atoi(argv[next + 1]);
        else if (is_option("--loss"))
            setting.loss = std::atof(argv[next + 1]) / 100;
        else if (is_option("--cut"))
            setting.cut = argv[next + 1];
        else
            break;
    }
    const bool is_share = setting.loss >= 0 && setting.loss < 1;
    if (next >= argc || argv[next][0] == '-' || setting.gigabits <= 0 || !is_share)
        throw std::runtime_error("see the head of benchmarks/slow_link.cpp");
    return run(setting, argv + next);
} catch (const std::exception& error) {
    std::fprintf(stderr, "slow_link: %s\n", error.what());
    return 1;
}
