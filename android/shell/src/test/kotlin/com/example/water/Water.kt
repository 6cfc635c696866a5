package com.example.water

import android.app.Application
import android.os.Bundle
import android.widget.TextView
import androidx.activity.ComponentActivity
import androidx.lifecycle.lifecycleScope
import app.carboy.*
import app.carboy.shell.*
import kotlinx.coroutines.launch

class WaterApp : Application() {
    lateinit var carboy: CarboyShell
    override fun onCreate() {
        super.onCreate()
        carboy = CarboyShell(this)
    }
}

class MainActivity : ComponentActivity() {
    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        val screen = TextView(this).also(::setContentView)
        val carboy = (application as WaterApp).carboy
        val link = EnrolLink.parse(intent.dataString.orEmpty()) ?: return screen.setText("Open an enrolment link")
        lifecycleScope.launch {
            val rider = carboy.enrol(link.server, link.code)
            rider.syncNow()
            val stop = rider.ask { stops(routes().first().route).first() }
            val bottles = listOf(DeliveredLine(rider.ask { products().first().code }, delivered = 2, empties = 1))
            val receipt = rider.record { confirmDelivery(stop.customer.customer, bottles) }
            carboy.acted()
            screen.text = "${receipt.code}: ${receipt.customer.name} owes ${receipt.customer.balance.format()}"
        }
    }
}
