; Check a file with Elle, as benchmarks/transactions.py calls it: elle FILE SECONDS [register].
; The check runs twice, and the second time counts: by then the machine is warm.
(require '[clojure.edn :as edn]
         '[clojure.java.io :as io]
         '[jepsen.history :as h]
         '[elle.list-append :as append]
         '[elle.rw-register :as register])

(defn seconds-of [f]
  (let [begin (System/nanoTime)
        result (f)]
    [result (/ (- (System/nanoTime) begin) 1e9)]))

(defn lines [file]
  (with-open [reader (io/reader file)]
    (h/history (mapv edn/read-string (line-seq reader)))))

(let [[file limit kind linearizable] *command-line-args*
      [history loading] (seconds-of #(lines file))
      options (cond-> {:consistency-models [:strict-serializable]}
                (= kind "register") (assoc :wfr-keys? true)
                linearizable (assoc :linearizable-keys? true))
      check (if (= kind "register") register/check append/check)
      [_ cold] (seconds-of #(check options history))
      [result warm] (if (< cold (/ (parse-double limit) 2))
                      (seconds-of #(check options history))
                      [(check options history) cold])
      valid (:valid? result)]
  (println (format "{\"valid\": %s, \"seconds\": %.4f, \"cold_seconds\": %.4f, \"load_seconds\": %.4f, \"anomalies\": \"%s\"}"
                   (if (keyword? valid) "\"unknown\"" valid) warm cold loading
                   (pr-str (:anomaly-types result))))
  (flush)
  (shutdown-agents)
  (System/exit 0))
