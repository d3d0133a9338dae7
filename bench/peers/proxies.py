# SPDX-License-Identifier: Apache-2.0
"""nginx and haproxy as plain proxies: one process or thread, kept connections to the origin, X-Forwarded-For added."""
from server import Server, free_port


def nginx(name, folder, origin, locations="", connections=4096, idle_seconds=75):
    port = free_port()
    config = f"{folder}/{name.replace(' ', '_')}.conf"
    with open(config, "w") as file:
        file.write(f"""daemon off; master_process off; worker_processes 1; pid {config}.pid; error_log /dev/null;
events {{ worker_connections {connections}; }}
http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi; keepalive_requests 100000000; keepalive_timeout {idle_seconds}s; client_max_body_size 1g;
  upstream origin {{ server 127.0.0.1:{origin}; keepalive 128; keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{port};
    location = /healthz {{ default_type text/plain; return 200 "OK"; }}
    {locations}
    location / {{ proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_request_buffering off;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header Host $host; }} }} }}
""")
    return Server(name, ["nginx", "-p", folder, "-c", config, "-e", "/dev/null"], port, path="/healthz")


def haproxy(name, folder, origin, connections=4096, idle_seconds=30):
    port = free_port()
    config = f"{folder}/haproxy.cfg"
    with open(config, "w") as file:
        file.write(f"""global
  nbthread 1
  maxconn {connections}
  no strict-limits
defaults
  mode http
  timeout http-keep-alive {idle_seconds}s
  timeout client 30s
  timeout server 30s
  timeout connect 5s
  http-reuse always
  option forwardfor
frontend in
  bind 127.0.0.1:{port}
  http-request return status 200 content-type text/plain string OK if {{ path /healthz }}
  default_backend origin
backend origin
  server origin 127.0.0.1:{origin}
""")
    return Server(name, ["haproxy", "-db", "-f", config], port, path="/healthz")
