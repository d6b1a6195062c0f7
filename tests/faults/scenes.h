/* The scenes, by file. */
#ifndef SCENES_H
#define SCENES_H

#define SCENES(S)                                                             \
    S(contexts)                                                               \
    S(schedules)                                                              \
    S(types)                                                                  \
    S(options)                                                                \
    S(tcp)                                                                    \
    S(ipc)                                                                    \
    S(inproc)                                                                 \
    S(inproc_late)                                                            \
    S(inproc_undone)                                                          \
    S(several_endpoints)                                                      \
    S(listener)                                                               \
    S(multicast)                                                              \
    S(websocket)                                                              \
    S(requests)                                                               \
    S(publishing)                                                             \
    S(names)                                                                  \
    S(names_inproc)                                                           \
    S(stream)                                                                 \
    S(curve)                                                                  \
    S(swap_memory)                                                            \
    S(swap_disk)                                                              \
    S(swap_parts)                                                             \
    S(swap_linger)                                                            \
    S(swap_publisher)                                                         \
    S(poller)                                                                 \
    S(poller_swap)                                                            \
    S(poller_stale)                                                           \
    S(timers)                                                                 \
    S(monitor)                                                                \
    S(observed)                                                               \
    S(proxy)                                                                  \
    S(messages)                                                               \
    S(keyfiles)                                                               \
    S(shutdown_context)                                                       \
    S(drop_context)                                                           \
    S(leave)                                                                  \
    S(leave_undelivered)

#define DECLARE_SCENE(name) void scene_##name(void);
SCENES(DECLARE_SCENE)

#endif
