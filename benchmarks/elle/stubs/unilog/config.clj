(ns unilog.config)

(defn start-logging! [& _])
