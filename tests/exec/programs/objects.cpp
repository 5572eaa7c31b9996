// A C++ program whose tasks use objects that constructors made before main. Exit code 0 if all of it worked.
#include <mortal.h>

#include <cstring>
#include <map>
#include <string>
#include <thread>

static const std::map<std::string, std::string> capitals = {{"France", "Paris"}, {"Italy", "Rome"}};

static int capital(mortal_task *task, const void *name, size_t bytes) {
    auto found = capitals.find(std::string(static_cast<const char *>(name), bytes));
    if (found == capitals.end())
        return 1;
    return mortal_task_reply(task, found->second.c_str(), found->second.size() + 1);
}

int main() {
    std::thread other([] { for (;;) std::this_thread::sleep_for(std::chrono::seconds(1)); });
    other.detach();
    mortal_pool_options options = mortal_pool_options();
    options.size = sizeof options;
    options.start = MORTAL_START_EXEC;
    mortal_pool *pool;
    mortal_future future;
    mortal_verdict verdict;
    if (mortal_pool_open(&pool, &options) != 0)
        return 3;
    if (mortal_pool_submit(pool, capital, "Italy", 5, nullptr, &future) != 0 ||
        mortal_future_wait(future, 20000000000u, &verdict) != 0)
        return 4;
    if (verdict.outcome != MORTAL_DONE || std::strcmp(static_cast<const char *>(verdict.result), "Rome") != 0)
        return 5;
    return mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, nullptr) == 0 ? 0 : 7;
}
