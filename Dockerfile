# One image for every role: HUB_ROLES chooses. Built with everything, shipped without what only the build needs.
FROM node:22-bookworm-slim AS build
WORKDIR /hub
COPY package.json package-lock.json ./
RUN npm ci --include=dev --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:22-bookworm-slim
# chDB runs queries on libuv's pool; see docs/deployment.md.
ENV NODE_ENV=production \
    UV_THREADPOOL_SIZE=12 \
    HUB_HOST=0.0.0.0 \
    PORT=3000 \
    HUB_DATA=/data
WORKDIR /hub
COPY --from=build /hub/package.json /hub/LICENSE ./
COPY --from=build /hub/node_modules node_modules
COPY --from=build /hub/migrations migrations
COPY --from=build /hub/dist dist
RUN mkdir /data /drops && chown node:node /data /drops
USER node
VOLUME /data
EXPOSE 3000
# A busy hub answers late; a stopped one not at all.
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=4 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "dist/src/main.js"]
