/* SPDX-License-Identifier: MIT */
/* libverd: green threads for C servers. Each header below is the manual page of its noun. */
#ifndef VERD_H
#define VERD_H

#include <verd/platform.h>

#include <verd/backdoor.h>
#include <verd/bundle.h>
#include <verd/context.h>
#include <verd/debug.h>
#include <verd/http.h>
#include <verd/http_client.h>
#include <verd/http_events.h>
#include <verd/net.h>
#include <verd/os.h>
#include <verd/pool.h>
#include <verd/queue.h>
#include <verd/reader.h>
#include <verd/resource.h>
#include <verd/serve.h>
#include <verd/stats.h>
#include <verd/stream.h>
#include <verd/sync.h>
#include <verd/thread.h>
#include <verd/time.h>
#include <verd/trace.h>
#include <verd/version.h>
#include <verd/websocket.h>
#include <verd/writer.h>

#endif
